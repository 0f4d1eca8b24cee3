// One connection to a MongoDB server by hand: enough to ask what it is doing.
import net from 'node:net'
import { once } from 'node:events'
import { require } from '../tests/support/moonlit.mjs'

const { BSON } = require('bson')

export class StoreClient {
  static async connect(port) {
    const client = new StoreClient()
    client.socket = net.connect(port, '127.0.0.1')
    client.socket.setNoDelay(true)
    client.bytes = Buffer.alloc(0)
    client.socket.on('data', (bytes) => { client.bytes = Buffer.concat([client.bytes, bytes]) })
    await once(client.socket, 'connect')
    return client
  }

  async command(document) {
    const body = Buffer.from(BSON.serialize({ ...document, $db: document.$db ?? 'admin' }))
    const head = Buffer.alloc(21)
    head.writeInt32LE(21 + body.length, 0)
    head.writeInt32LE(1, 4)
    head.writeInt32LE(2013, 12)
    this.socket.write(Buffer.concat([head, body]))
    while (this.bytes.length < 4 || this.bytes.length < this.bytes.readInt32LE(0)) await once(this.socket, 'data')
    const length = this.bytes.readInt32LE(0)
    const answer = BSON.deserialize(this.bytes.subarray(21, length))
    this.bytes = this.bytes.subarray(length)
    if (answer.ok !== 1) throw new Error(answer.errmsg)
    return answer
  }

  close() { this.socket.destroy() }
}
