import { assertEquals } from "@std/assert";
import { isReadyAnswer } from "./health.ts";

const answer = (status: string, body: string, fields = `Content-Length: ${body.length}\r\n`) =>
  `HTTP/1.1 ${status}\r\nServer: llama.cpp\r\n${fields}\r\n${body}`;

Deno.test("only status 200 with exactly the ready object counts", () => {
  assertEquals(isReadyAnswer(answer("200 OK", '{"status":"ok"}')), true);
  assertEquals(isReadyAnswer(answer("200 OK", '{ "status": "ok" }')), true);
  for (
    const wrong of [
      "",
      "HTTP/1.1 200 OK\r\n",
      answer("503 Service Unavailable", '{"status":"ok"}'),
      answer("503 Service Unavailable", '{"error":{"code":503,"message":"Loading model"}}'),
      answer("200 OK", '{"status":"loading"}'),
      answer("200 OK", '{"status":"ok","more":1}'),
      answer("200 OK", '["ok"]'),
      answer("200 OK", "null"),
      answer("200 OK", "ok"),
      answer("200 OK", '{"status":"ok"}', "Content-Length: 3\r\n"),
      answer("200 OK", '{"status":"ok"}', ""),
      answer("200 OK", '{"status":"ok"}', "Content-Length: 15\r\nContent-Length: 15\r\n"),
      answer("2000 OK", '{"status":"ok"}'),
      answer("200 OK", `{"status":"ok"}${" ".repeat(5000)}`),
    ]
  ) {
    assertEquals(isReadyAnswer(wrong), false, wrong.slice(0, 60));
  }
});
