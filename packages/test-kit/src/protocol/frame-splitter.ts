const CRLF = "\r\n";

/** One complete request, reply or push, as the bytes it came in. */
export interface Frame {
  readonly bytes: Buffer;
  /** The first byte of the reply itself, attributes skipped: `+ - : $ * _ # , ( ! = % ~ >`. */
  readonly type: string;
}

/** The bytes are not RESP: nothing after them can be understood. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/**
 * Cuts a stream of RESP2 or RESP3 into complete frames, however the bytes arrive. It only learns
 * where a frame ends; {@link decodeReply} reads what is in one.
 *
 * RESP3's "streamed" types (`$?`, `*?`) are refused: no server sends them.
 */
export class FrameSplitter {
  #buffer: Buffer = Buffer.alloc(0);
  #position = 0;
  /** How many elements are still to be read before the frame is whole. */
  #missing = 1;
  #type = "";

  /** Takes the next bytes and gives the frames that they complete. */
  push(chunk: Buffer): Frame[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const frames: Frame[] = [];
    while (this.#readElement()) {
      if (this.#missing > 0) continue;
      frames.push({ type: this.#type, bytes: this.#buffer.subarray(0, this.#position) });
      this.#buffer = this.#buffer.subarray(this.#position);
      this.#position = 0;
      this.#missing = 1;
      this.#type = "";
    }
    return frames;
  }

  /** Moves past one element, or past the header of one that holds others; false when bytes lack. */
  #readElement(): boolean {
    const lineEnd = this.#buffer.indexOf(CRLF, this.#position, "latin1");
    if (lineEnd === -1) return false;
    const header = this.#buffer.toString("latin1", this.#position, lineEnd);
    const type = header.charAt(0);
    let end = lineEnd + CRLF.length;
    let within = 0;
    switch (type) {
      case "+":
      case "-":
      case ":":
      case "_":
      case "#":
      case ",":
      case "(":
        break;
      case "$":
      case "!":
      case "=": {
        const length = readLength(header);
        if (length >= 0) end += length + CRLF.length;
        if (end > this.#buffer.length) return false;
        break;
      }
      case "*":
      case "~":
      case ">":
        within = Math.max(0, readLength(header));
        break;
      case "%":
        within = 2 * Math.max(0, readLength(header));
        break;
      case "|":
        // Attributes stand before what they describe, so that is missing still: hence the 1.
        within = 2 * readLength(header) + 1;
        break;
      default:
        throw new ProtocolError(`Not RESP: ${JSON.stringify(header.slice(0, 80))}`);
    }
    if (this.#type === "" && this.#missing === 1 && type !== "|") this.#type = type;
    this.#missing += within - 1;
    this.#position = end;
    return true;
  }
}

function readLength(header: string): number {
  if (!/^.(\d+|-1)$/.test(header)) {
    throw new ProtocolError(`Not a length: ${JSON.stringify(header.slice(0, 80))}`);
  }
  return Number(header.slice(1));
}
