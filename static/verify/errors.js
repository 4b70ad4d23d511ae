/** What was asked for and cannot be said yes to; the same stable codes as chain/errors.py. */
export class Problem extends Error {
  /** `code` is for programs, `detail` one English sentence for people. */
  constructor(code, detail) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.step = null; // of verify.js, once it is known which one failed
  }
}
