/** Bytes: hashes by the browser's own cryptography, hexadecimal and base64. */

/** @param {Uint8Array<ArrayBuffer>} bytes */
export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Put bytes one behind the other.
 * @param {...Uint8Array} parts
 */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Read base64 in the one form that it has; null when it is not.
 * @param {string} text
 */
export function fromBase64(text) {
  try {
    const bytes = Uint8Array.from(atob(text), (symbol) => symbol.charCodeAt(0));
    return btoa(String.fromCharCode(...bytes)) === text ? bytes : null;
  } catch {
    return null;
  }
}

/** Bytes that grow at their end. */
export class Growing {
  constructor() {
    this.held = new Uint8Array(1 << 16);
    this.length = 0;
  }

  /** @param {Uint8Array} bytes */
  add(bytes) {
    const length = this.length + bytes.length;
    if (length > this.held.length) {
      const larger = new Uint8Array(Math.max(length, this.held.length * 2));
      larger.set(this.held.subarray(0, this.length));
      this.held = larger;
    }
    this.held.set(bytes, this.length);
    this.length = length;
  }

  get bytes() {
    return this.held.subarray(0, this.length);
  }
}
