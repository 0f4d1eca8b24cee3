// A WebSocket by hand, for frames that no library would send.
import net from 'node:net'
import { once } from 'node:events'

export class Raw {
  /** Upgraded, with nothing said yet; `head` replaces fields of the request. */
  static async open(host, head = {}) {
    const raw = new Raw()
    raw.bytes = Buffer.alloc(0)
    raw.socket = net.connect(host.port, '127.0.0.1')
    raw.socket.on('data', (bytes) => { raw.bytes = Buffer.concat([raw.bytes, bytes]) })
    raw.socket.on('error', () => {})
    raw.ended = new Promise((done) => raw.socket.on('close', done))
    await once(raw.socket, 'connect')
    const fields = { Host: `127.0.0.1:${host.port}`, Origin: `http://127.0.0.1:${host.port}`, Upgrade: 'websocket', Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', ...head }
    const lines = Object.entries(fields).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`)
    raw.write(`GET /_moonlit/socket HTTP/1.1\r\n${lines.join('')}\r\n`)
    await raw.until(() => raw.bytes.includes('\r\n\r\n'))
    raw.status = Number(/^HTTP\/1\.1 (\d+)/.exec(raw.bytes.toString('latin1'))[1])
    raw.bytes = raw.bytes.subarray(raw.bytes.indexOf('\r\n\r\n') + 4)
    return raw
  }

  write(bytes) { this.socket.write(bytes) }

  async until(condition) {
    while (!condition()) {
      const closed = await Promise.race([once(this.socket, 'data').then(() => false), this.ended.then(() => true)])
      if (closed && !condition()) throw new Error(`closed after ${this.bytes.length} bytes: ${this.bytes.toString('latin1').slice(0, 200)}`)
    }
  }

  /** The code of the Close frame with which the host ends the conversation. */
  async closeCode() {
    await this.ended
    let at = 0
    while (at + 2 <= this.bytes.length) {
      let length = this.bytes[at + 1] & 0x7f, head = 2
      if (length === 126) { length = this.bytes.readUInt16BE(at + 2); head = 4 }
      if (length === 127) { length = Number(this.bytes.readBigUInt64BE(at + 2)); head = 10 }
      if ((this.bytes[at] & 0x0f) === 8) return this.bytes.readUInt16BE(at + head)
      at += head + length
    }
    return undefined
  }
}

/** A frame as a browser sends it, or with what is asked for wrong. */
export function frame(payload, { opcode = 2, fin = true, reserved = 0, masked = true, length = payload.length } = {}) {
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode]
  const bit = masked ? 0x80 : 0
  if (length < 126) head.push(bit | length)
  else if (length < 65536) head.push(bit | 126, length >> 8, length & 255)
  else head.push(bit | 127, 0, 0, 0, 0, (length >>> 24) & 255, (length >>> 16) & 255, (length >>> 8) & 255, length & 255)
  if (!masked) return Buffer.concat([Buffer.from(head), payload])
  const mask = Buffer.from([1, 2, 3, 4])
  return Buffer.concat([Buffer.from(head), mask, payload.map((byte, i) => byte ^ mask[i % 4])])
}
