import { Socket } from "node:net";

import { sharedNow } from "./shared-clock.js";

/** When this process reads from its sockets, and writes to them. It looks from when it is made, for good. */
export class SocketTimes {
  /** When something was last read. */
  read: number = NaN;
  /** When something was first written since {@link expectWrite}. */
  written: number = NaN;

  constructor() {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- They are applied to the socket.
    const { push, _write: write, _writev: writev } = Socket.prototype;
    const reads = (): void => void (this.read = sharedNow());
    const writes = (): void => {
      if (Number.isNaN(this.written)) this.written = sharedNow();
    };
    Socket.prototype.push = function (...chunk) {
      reads();
      return push.apply(this, chunk);
    };
    Socket.prototype._write = function (...chunk) {
      writes();
      write.apply(this, chunk);
    };
    Socket.prototype._writev = function (...chunks) {
      writes();
      writev?.apply(this, chunks);
    };
  }

  expectWrite(): void {
    this.written = NaN;
  }
}
