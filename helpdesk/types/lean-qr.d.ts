/** The part of lean-qr that the page uses (vendor/lean-qr.js). */
export const correction: { readonly M: number };
export function generate(
  text: string,
  options: { minCorrectionLevel: number },
): { toCanvas(canvas: HTMLCanvasElement): void };
