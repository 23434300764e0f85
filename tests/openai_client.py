"""Chats through a Postkey server with OpenAI's client library; started by tests/openai_client.sh."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

KEY = "sk-of-the-owner-0123456789"
MODEL = "model-of-the-owner"
WORDS = ["Until ", "five ", "o'clock."]


class Provider(BaseHTTPRequestHandler):
    """An OpenAI-style provider that knows one key and always says the same."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, {"object": "list", "data": []})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self.answer(401, {"error": {"message": "SECRET-TEXT", "code": "invalid_api_key"}})
        elif asked["model"] == "unknown":
            self.answer(404, {"error": {"message": "SECRET-TEXT", "code": "model_not_found"}})
        elif asked.get("stream"):
            self.stream(asked)
        else:
            message = {"role": "assistant", "content": "".join(WORDS)}
            choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
            self.answer(200, self.said(asked, "chat.completion", [choice], usage=USAGE))

    def stream(self, asked):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for words in WORDS:
            choice = {"index": 0, "delta": {"content": words}, "finish_reason": None}
            self.send_event(json.dumps(self.said(asked, "chat.completion.chunk", [choice])))
        if asked["model"] == "breaks":
            self.send_event(json.dumps({"error": {"message": "SECRET-TEXT", "code": 502}}))
            return
        choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
        self.send_event(json.dumps(self.said(asked, "chat.completion.chunk", [choice])))
        self.send_event(json.dumps(self.said(asked, "chat.completion.chunk", [], usage=USAGE)))
        self.send_event("[DONE]")

    def said(self, asked, kind, choices, **more):
        return {"id": "c-1", "object": kind, "created": 1, "model": asked["model"], "choices": choices, **more}

    def send_event(self, data):
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


USAGE = {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7}


class Postkey:
    """A running server, and calls of it that are no chats."""

    def __init__(self, program, provider):
        environment = {**os.environ, "POSTKEY_NETWORK__PRIVATE_ENDPOINTS": json.dumps([provider])}
        # Chats must not depend on a key that the library would find by itself.
        environment.pop("OPENAI_API_KEY", None)
        self.process = subprocess.Popen(
            [program, "serve"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.log = []
        self.base = None
        self.token = None
        threading.Thread(target=self.read_log, daemon=True).start()
        deadline = time.monotonic() + 60
        while self.base is None:
            assert self.process.poll() is None and time.monotonic() < deadline, "".join(self.log)
            time.sleep(0.05)

    def read_log(self):
        for line in self.process.stdout:
            self.log.append(line)
            found = re.search(r"the API is served.*address=([0-9.:]+)", re.sub(r"\x1b\[[0-9;]*m", "", line))
            if found:
                self.base = f"http://{found[1]}"

    def post(self, path, body):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as response:
            return json.load(response)


def check(client):
    """What a front end does with the library."""
    messages = [{"role": "user", "content": "Until when is it open?"}]
    answer = client.chat.completions.create(model=MODEL, messages=messages, max_completion_tokens=50)
    assert answer.choices[0].message.content == "".join(WORDS), answer
    assert answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens == 7, answer

    stream = client.chat.completions.create(model=MODEL, messages=messages, stream=True)
    pieces = [piece.choices[0].delta.content or "" for piece in stream]
    assert pieces == [*WORDS, ""], pieces

    options = {"include_usage": True}
    stream = client.chat.completions.create(model=MODEL, messages=messages, stream=True, stream_options=options)
    *_, last = stream
    assert last.choices == [] and last.usage.total_tokens == 7, last

    def refused(kind, **asked):
        try:
            answer = client.chat.completions.create(**{"model": MODEL, "messages": messages, **asked})
            list(answer)
        except kind as error:
            assert "SECRET-TEXT" not in str(error), error
            return str(error)
        raise AssertionError(f"{asked} was answered")

    assert "`n` must be 1" in refused(openai.UnprocessableEntityError, n=2)
    assert "`audio` is not known here" in refused(openai.UnprocessableEntityError, extra_body={"audio": {}})
    assert "no such model for this key" in refused(openai.UnprocessableEntityError, model="unknown")
    assert "provider cannot answer now" in refused(openai.APIError, model="breaks", stream=True)


def main(program):
    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    provider = f"127.0.0.1:{provider.server_address[1]}"
    server = Postkey(program, provider)
    try:
        account = {"email": "ann@openai-client.test", "password": "a long password of Ann", "name": "Ann"}
        server.token = server.post("/api/auth/signup", account)["token"]
        made = {"provider": "custom", "apiKey": KEY, "modelName": MODEL, "baseUrl": f"http://{provider}/v1"}
        configuration = server.post("/api/ai-config", made)["id"]
        wanted = {"name": "front end", "scopes": ["chat:create"], "expiresAt": "never"}
        api_key = server.post("/api/v1/api-keys", wanted)["key"]
        wanted = {"purpose": "chat.completion", "configId": configuration}
        security_token = server.post("/api/v1/security-tokens", wanted)["token"]

        for name, credential in [
            ("a session", server.token),
            ("a platform API key", api_key),
            ("a security token", security_token),
        ]:
            client = openai.OpenAI(base_url=f"{server.base}/api/v1", api_key=credential, max_retries=0)
            check(client)
            print(f"openai {openai.__version__} chats with {name}")
        models = openai.OpenAI(base_url=f"{server.base}/api/v1", api_key=api_key).models.list()
        assert [model.id for model in models] == [MODEL], models

        stranger = openai.OpenAI(base_url=f"{server.base}/api/v1", api_key=security_token[:-2], max_retries=0)
        try:
            check(stranger)
        except openai.AuthenticationError as error:
            assert "this security token is not good" in str(error), error
        else:
            raise AssertionError("a broken token was good")
        log = "".join(server.log)
        assert KEY not in log and api_key not in log and security_token not in log, "a secret is in the log"
    finally:
        server.process.terminate()
        server.process.wait()


main(sys.argv[1])
