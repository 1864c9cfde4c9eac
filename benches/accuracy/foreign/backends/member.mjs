// One member of a queue group in Node: `member.mjs URL`. Each request takes some work of the processor.

import { createHash } from "node:crypto";
import { connect } from "nats";

const WORK_BYTES = Buffer.alloc(200_000);

// About half a millisecond of the processor.
function work(payload) {
  return createHash("sha256").update(payload).update(WORK_BYTES).digest();
}

const connection = await connect({ servers: process.argv[2], reconnect: false });
connection.subscribe("foreign.group", {
  queue: "members",
  callback: (error, message) => {
    if (error) throw error;
    message.respond(work(message.data));
  },
});
await connection.flush();
console.log("ready");

// Whoever started this program is gone when stdin closes.
process.stdin.resume();
process.stdin.on("end", () => connection.close().then(() => process.exit(0)));
