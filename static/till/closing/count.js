/** The drawer counted by notes and coins. */
export const PIECES = [10_000, 5000, 2000, 1000, 500, 100, 50, 10]; // fen

/** What so many of each come to; null where something is no number of pieces. */
export function counted(pieces) {
  let sum = 0;
  for (const [piece, text] of pieces) {
    const many = text.trim() === "" ? "0" : text.trim();
    if (!/^\d{1,6}$/.test(many)) return null;
    sum += piece * Number(many);
  }
  return sum;
}
