"""Gives the API something to be asked about: an account, and one of everything that it may have.

    fill.py URL DATABASE

What a caller makes is made by calls. Mails come in by no call, so they and what became of them are written into the
SQLite file.
"""

import json
import os
import sqlite3
import sys
import time
import urllib.request
import uuid

EMAIL = "owner@schemathesis.test"
PASSWORD = os.environ["POSTKEY_SCHEMATHESIS_PASSWORD"]
# Nobody listens there, and the server may try all the same.
NOWHERE = {"host": "127.0.0.1", "port": 9, "security": "none", "password": "x"}
# As many as generated calls may approve, edit or discard.
RUNS = 100
SPARE_MAILBOXES = 20

LETTER = b"From: Eve <eve@else.test>\r\nTo: desk@shop.test\r\nSubject: Hours\r\n\r\nWhen do you open?\r\n"
REPLY = b"From: desk@shop.test\r\nTo: eve@else.test\r\nSubject: Re: Hours\r\n\r\nAt nine.\r\n"


def main(url, database):
    # The first account is the administrator's, so that every call is open to it.
    account = {"email": EMAIL, "password": PASSWORD, "name": "Owner"}
    token = call(url, "/api/auth/signup", account)["token"]
    key = {"provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": "http://127.0.0.1:9/v1"}
    call(url, "/api/ai-config", key, token)
    # Mails go with their mailbox, so others come first that may be deleted.
    for number in range(SPARE_MAILBOXES):
        mailbox = {"address": f"spare{number}@shop.test", "imap": NOWHERE, "smtp": NOWHERE}
        call(url, "/api/mailboxes", mailbox, token)
    mailbox = call(url, "/api/mailboxes", {"address": "desk@shop.test", "imap": NOWHERE, "smtp": NOWHERE}, token)
    agent = {"name": "Support", "type": "email_inbound", "mailboxId": mailbox["id"], "mode": "draft"}
    agent = call(url, "/api/automation/agents", agent, token)
    with sqlite3.connect(database, timeout=10) as rows:
        add_mails(rows, uuid.UUID(mailbox["id"]).bytes, uuid.UUID(agent["id"]).bytes)


def call(url, path, body, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def add_mails(rows, mailbox, agent):
    (user,) = rows.execute("SELECT user_id FROM mailboxes WHERE id = ?", [mailbox]).fetchone()
    now = int(time.time() * 1000)
    for number in range(RUNS):
        run, thread, call_id = (uuid.uuid4().bytes for _ in range(3))
        state, reason = [("held", "draft"), ("failed", "too_long"), ("skipped", "mailing_list")][number % 3]
        add(rows, "threads", id=thread, user_id=user, mailbox_id=mailbox, correspondent="eve@else.test", created_at=now)
        add(
            rows, "messages", id=run, user_id=user, mailbox_id=mailbox, thread_id=thread, identity=str(number),
            bytes=len(LETTER), raw=LETTER, truncated=False, received_at=now,
        )
        finished = None if state == "held" else now
        add(
            rows, "runs", id=run, user_id=user, agent_id=agent, state=state, reason=reason, created_at=now,
            finished_at=finished,
        )
        add(
            rows, "notices", id=uuid.uuid4().bytes, user_id=user, cause=f"run:{number}", kind="held",
            sentence="Look at it.", created_at=now,
        )
        if state != "held":
            continue
        add(
            rows, "provider_calls", id=call_id, user_id=user, run_id=run, agent_id=agent, payer="owner",
            provider="openai_compatible", model="m", state="done", input_tokens=90, output_tokens=9, started_at=now,
            ended_at=now,
        )
        add(
            rows, "completions", run_id=run, user_id=user, call_id=call_id, model="m", finish="stop", body="At nine.",
            created_at=now,
        )
        add(
            rows, "outbox", run_id=run, user_id=user, mailbox_id=mailbox, thread_id=thread, agent_id=agent,
            rfc_message_id=f"{number}@shop.test", recipient="eve@else.test", state="ready", epoch=0, created_at=now,
        )
        add(rows, "outbox_bytes", run_id=run, raw=REPLY)


def add(rows, table, **columns):
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    rows.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(columns.values()))


main(*sys.argv[1:])
