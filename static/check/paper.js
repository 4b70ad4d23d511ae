/** Files that are no proofs: a PDF, which the service reads when asked to, and pictures of codes. */
const ROOT = new URL("../../", import.meta.url);
const BEGINNING = 1024; // bytes within which a PDF says that it is one
const part = (id) => document.getElementById(id);

/** Whether a file says that it is a PDF. */
export async function isPdf(file) {
  const beginning = await file.slice(0, BEGINNING).text();
  return beginning.includes("%PDF-");
}

export const isPicture = ({ type, name }) =>
  type.startsWith("image/") || /\.(jpe?g|png|webp|gif|bmp|avif)$/i.test(name);

/**
 * Show the form that sends a PDF, with the file in it, and wait for the person; null hides the form.
 * Returns whether it is shown. A browser that lets nobody fill in a file has it chosen once more.
 */
export function askToSend(file) {
  const form = part("paper");
  form.hidden = file === null;
  if (file === null) return false;
  try {
    const carried = new DataTransfer();
    carried.items.add(file);
    part("pdf").files = carried.files;
  } catch {
    // the field is empty, and asks for it
  }
  form.scrollIntoView({ block: "nearest" });
  part("send").focus();
  return true;
}

/** The texts of the codes in a picture. */
export async function textsIn(picture) {
  const { codesIn, drawn } = await import("./codes.js");
  return codesIn(await drawn(picture));
}

/** Where a code's verdict is. */
export function verdictPage(text) {
  const where = new URL("verify/scan", ROOT);
  where.search = new URLSearchParams({ text });
  return where;
}
