/** QR codes in a picture: by the browser's own detector where it has one, else by a library. */
const LONGEST = 2400; // dots of a side; larger pictures are made smaller
const MOST = 50;
const SECONDS = 8000; // milliseconds for one picture

/** A picture's {data, width, height, canvas}; throws for what is none. */
export async function drawn(source) {
  const bitmap = source instanceof Blob ? await createImageBitmap(source) : source;
  const [width, height] = sizeOf(bitmap);
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white"; // below what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close?.();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

const sizeOf = (one) => [one.videoWidth ?? one.width, one.videoHeight ?? one.height];

/** The texts of all codes in a picture, each once. */
export async function codesIn(image) {
  const texts = (await byBrowser(image)) ?? (await byLibrary(image));
  return [...new Set(texts)];
}

async function byBrowser(image) {
  try {
    const formats = await globalThis.BarcodeDetector?.getSupportedFormats();
    if (!formats?.includes("qr_code")) return null;
    const found = await new BarcodeDetector({ formats: ["qr_code"] }).detect(image);
    return found.length ? found.map(({ rawValue }) => rawValue) : null; // the library sees more
  } catch {
    return null;
  }
}

const CHARSETS = { 20: "shift-jis", 25: "utf-16be", 28: "big5", 29: "gbk", 30: "euc-kr" }; // by ECI

/** Bytes of a code as text: UTF-8 unless it says otherwise; titles of companies are in GBK, unsaid. */
function textOf(bytes, said) {
  for (const charset of [CHARSETS[said] ?? "utf-8", "gbk"]) {
    try {
      return new TextDecoder(charset, { fatal: true }).decode(bytes);
    } catch {
      // another one
    }
  }
  return new TextDecoder().decode(bytes);
}

async function byLibrary(image) {
  const { decodeQRBatch } = await import("../vendor/qr/decode.js");
  const [found] = await decodeQRBatch([image], {
    maxSize: { width: image.width, height: image.height },
    effort: MOST,
    timeLimit: SECONDS,
    textDecoder: textOf,
  });
  return found.filter((one) => typeof one === "string");
}
