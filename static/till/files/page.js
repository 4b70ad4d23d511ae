/** A file that is worked on: the page looks again until nothing moves any more. */
const PAUSE = 1000; // milliseconds
const LATER = 5000; // after a look that failed

async function look() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (answer.redirected || !answer.ok) throw new Error(`${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [here, now] = [document.getElementById("file"), fresh.getElementById("file")];
  if (!now) throw new Error("another page");
  if (now.dataset.stage !== here.dataset.stage) {
    document.querySelector(".sprite")?.remove(); // a page without pictures has none
    document.body.append(...fresh.querySelectorAll(".sprite"));
    here.replaceWith(now);
  } else renew(here, now);
  return now.dataset.moving === "yes";
}

/** The same stage: only what counts changes, so that nobody's focus is lost. */
function renew(here, now) {
  for (const part of ["[role=status]", "progress"]) {
    const [old, fresh] = [here.querySelector(part), now.querySelector(part)];
    if (!old || !fresh) continue;
    if (part === "progress") {
      if (fresh.hasAttribute("value")) old.value = fresh.value;
    } else if (old.textContent !== fresh.textContent) old.textContent = fresh.textContent;
  }
}

async function again() {
  let wait = PAUSE;
  try {
    if (!document.hidden && !(await look())) return;
  } catch {
    wait = LATER;
  }
  setTimeout(again, wait);
}

setTimeout(again, PAUSE);
