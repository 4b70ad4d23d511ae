/** That a log has signed two histories, and the evidence file about it (chain/audit/evidence.py). */
import { Problem } from "./errors.js";
import { toHex } from "./hashing.js";

/** Code `log_forked`; `evidence` is the text of the file that proves it to anyone. */
export class ForkedError extends Problem {
  /** Of {checkpoint, note} of two sizes or of one; what `found` says of the larger one. */
  constructor(small, large, found = null) {
    const { size } = small.checkpoint;
    super(
      "log_forked",
      `the log has signed two histories that differ within the first ${size} entries`,
    );
    this.size = size;
    this.evidence = evidenceOf(inOrder(small, large), found);
  }
}

/** Of one size, the notes stand by their roots. */
function inOrder(small, large) {
  const roots = [small, large].map(({ checkpoint }) => toHex(checkpoint.root));
  const swapped = small.checkpoint.size === large.checkpoint.size && roots[0] > roots[1];
  return swapped ? [large, small] : [small, large];
}

/** `found`: which root the larger tree had at the smaller size, and the path that proves it. */
function evidenceOf(pair, found) {
  const prefix = found && { path: found.path.map(toHex), root: toHex(found.root) };
  return JSON.stringify({
    checkpoints: pair.map(({ note }) => note),
    kind: "fork",
    ...(prefix && { prefix }),
    version: 1,
  });
}
