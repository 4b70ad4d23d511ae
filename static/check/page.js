/** The first page: a code by camera, from a picture, from a file; read on this device. */
import { N_, _ } from "../ground/words.js";
import { toBase64 } from "../verify/base64.js";
import { askToSend, isPdf, isPicture } from "./paper.js";
import { Camera } from "./camera.js";
import { codesIn, drawn } from "./codes.js";

const ROOT = new URL("../../", import.meta.url);
const PLACE = "fapiao/file";
const LARGEST = 3 << 20; // bytes of a file that is handed to the next page
const MOST_FILES = 20;
const part = (id) => document.getElementById(id);

const TOLD = {
  reading: N_("Reading …"),
  several: N_("Several codes were found; each is checked."),
  none: N_("No code was found. Take the picture closer, straight from above, in even light."),
  unreadable: N_("This picture cannot be read here. Save it as JPEG or PNG, or take a picture of the screen."),
  mixed: N_("Several files: choose pictures alone, or one PDF or proof file. Nothing was checked."),
  many: N_("At most %(most)s pictures at once. Nothing was checked."),
  without: N_("No code could be read in %(names)s. Leave it out, or take it again: nothing was checked."),
  large: N_("The file is too large to be handed on. Choose it on the page for proof files."),
};

function tell(text) {
  part("told").hidden = text === "";
  part("told").textContent = text;
}

/** Go where these codes are judged: one to its page, several to the list of verdicts. */
function judge(texts) {
  if (texts.length === 1) {
    const where = new URL("verify/scan", ROOT);
    where.search = new URLSearchParams({ text: texts[0] });
    location.assign(where);
    return;
  }
  tell(_(TOLD.several));
  part("several").querySelector("textarea").value = texts.map((text) => text.replace(/\s+/g, " ")).join("\n");
  part("several").submit();
}

/** All of them are judged, or none. Pictures are looked at here; a PDF is sent if the person says so; a proof file has its own page. */
async function take(files) {
  camera.stop();
  tell("");
  const pictures = files.filter(isPicture);
  if (!files.length) return;
  if (files.length > 1 && pictures.length < files.length) return tell(_(TOLD.mixed));
  if (files.length > MOST_FILES) return tell(_(TOLD.many, { most: MOST_FILES }));
  if (askToSend(!pictures.length && (await isPdf(files[0])) ? files[0] : null)) return;
  if (!pictures.length) return handOver(files[0]);
  tell(_(TOLD.reading));
  const read = []; // one after the other: a phone has little memory
  for (const picture of pictures) read.push(await drawn(picture).then(codesIn).catch(() => null));
  const without = pictures.filter((_one, place) => !read[place]?.length).map(({ name }) => name);
  if (!without.length) judge([...new Set(read.flat())]);
  else if (pictures.length > 1) tell(_(TOLD.without, { names: without.join(", ") }));
  else tell(_(read[0] ? TOLD.none : TOLD.unreadable));
}

/** The next page has no other way to a file that was chosen here than this window's own storage. */
async function handOver(file) {
  if (file.size > LARGEST) return tell(_(TOLD.large));
  const data = toBase64(new Uint8Array(await file.arrayBuffer()));
  try {
    sessionStorage.setItem(PLACE, JSON.stringify({ name: file.name, data }));
  } catch {
    return tell(_(TOLD.large));
  }
  location.assign(new URL("verify/file", ROOT));
}

const camera = new Camera({ video: part("video"), box: part("seen"), told: tell, found: seen });

function seen(texts) {
  judge(texts);
  return true;
}

part("camera").addEventListener("click", () => camera.start());
part("stop").addEventListener("click", () => camera.stop());
part("picture").addEventListener("change", ({ target }) => {
  take([...target.files]);
  target.value = "";
});
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault(); // or the browser leaves the page for the file
    if (name === "drop") take([...event.dataTransfer.files]);
  });
}
document.addEventListener("paste", ({ clipboardData }) => {
  const files = [...clipboardData.files];
  if (files.length) take(files);
});
part("look").dataset.ready = "yes";
