/** Pictures of a page that are small enough to be kept: 256 colours do for text on plain ground. */
import type { Page } from "playwright-core";
import { concat } from "../../src/base/bytes.ts";

/** Runs in the browser, which can read its own pictures. The colours are numbers 0xRRGGBB. */
const PIXELS = `async (source) => {
  const bitmap = await createImageBitmap(await (await fetch(source)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const { width, height, data } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
  const colours = Array.from({ length: width * height }, (_, i) =>
    data[4 * i] << 16 | data[4 * i + 1] << 8 | data[4 * i + 2]);
  return { width, height, colours };
}`;

/**
 * Keeps the whole page as a PNG of at most 256 colours: the most frequent ones, and for each other
 * colour the nearest of them.
 */
export async function keepPicture(page: Page, path: string): Promise<void> {
  const shot = (await page.screenshot({ fullPage: true })).toString("base64");
  // The page's own content security policy would not let it read a picture.
  const blank = await page.context().newPage();
  const { width, height, colours } = await blank.evaluate<
    { width: number; height: number; colours: number[] }
  >(`(${PIXELS})("data:image/png;base64,${shot}")`);
  await blank.close();
  await Deno.writeFile(path, await encode(width, height, colours));
}

/** @returns the picture as a PNG with a palette (RFC 2083). */
async function encode(width: number, height: number, colours: number[]): Promise<Uint8Array> {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const all = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  const palette = all.slice(0, 256);
  const places = new Map(all.map((colour) => [colour, nearest(palette, colour)]));

  const rows = new Uint8Array(height * (width + 1)); // Before each row a zero: no filter.
  colours.forEach((colour, i) => rows[i + Math.floor(i / width) + 1] = places.get(colour)!);
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));

  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint16(8, 8 << 8 | 3); // Eight bits, each an index into the palette.
  return concat(
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("PLTE", Uint8Array.from(palette.flatMap(parts))),
    chunk("IDAT", await new Response(packed).bytes()),
    chunk("IEND", new Uint8Array()),
  );
}

const parts = (colour: number) => [colour >> 16, colour >> 8 & 255, colour & 255];

/** @returns the index of the colour in the palette that differs least. */
function nearest(palette: number[], colour: number): number {
  const wanted = parts(colour);
  const distances = palette.map((one) =>
    parts(one).reduce((sum, part, i) => sum + (part - wanted[i]) ** 2, 0)
  );
  return distances.indexOf(Math.min(...distances));
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const named = concat(new TextEncoder().encode(type), data);
  const whole = new DataView(new ArrayBuffer(named.length + 8));
  whole.setUint32(0, data.length);
  new Uint8Array(whole.buffer).set(named, 4);
  whole.setUint32(named.length + 4, crc32(named));
  return new Uint8Array(whole.buffer);
}

/** CRC-32 as PNG has it. @returns an unsigned number. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
