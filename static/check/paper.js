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
export const askToSend = (file) => ask(file, "paper", "pdf", "send");

/** The same for a receipt of the log, or what a wallet showed. */
export const askToSendReceipt = (file) => ask(file, "receipt-form", "receipt", "send-receipt");

function ask(file, place, field, button) {
  const form = part(place);
  form.hidden = file === null;
  if (file === null) return false;
  try {
    const carried = new DataTransfer();
    carried.items.add(file);
    part(field).files = carried.files;
  } catch {
    // the field is empty, and asks for it
  }
  form.scrollIntoView({ block: "nearest" });
  part(button).focus();
  return true;
}

/** Whether a file is a receipt of the log (a COSE_Sign1), or what a wallet showed (an SD-JWT). */
export async function isReceipt(file) {
  if (/\.(cose|cbor|sd-jwt)$/i.test(file.name)) return true;
  const beginning = new Uint8Array(await file.slice(0, BEGINNING).arrayBuffer());
  if (beginning[0] === 0xd2 && beginning[1] === 0x84) return true;
  return new TextDecoder().decode(beginning.subarray(0, 3)) === "eyJ" && (await file.text()).includes("~");
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
