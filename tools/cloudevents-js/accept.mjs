// Reads requests from standard input, one JSON object with headers and body per line, and requires that each is a valid CloudEvent.
import { createInterface } from "node:readline";
import { HTTP } from "cloudevents";

let rejected = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    const event = HTTP.toEvent(request);
    event.validate();
    console.log(event.type, event.data === undefined ? "without data" : "with data");
  } catch (error) {
    rejected++;
    console.error(request.headers["ce-type"] ?? request.body, error.message, JSON.stringify(error.errors ?? ""));
  }
}
process.exit(rejected === 0 ? 0 : 1);
