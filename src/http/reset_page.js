"use strict";
const form = document.querySelector("form");
const say = (text) => { document.querySelector("output").textContent = text; };
const token = location.hash.slice(1);
if (!token) {
  form.hidden = true;
  say("This page needs the whole link from the mail. Open it again, or ask for another one.");
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ token, newPassword: form.elements.password.value });
  const headers = { "Content-Type": "application/json" };
  try {
    const answer = await fetch("api/auth/password-reset/confirm", { method: "POST", headers, body });
    if (answer.ok) {
      form.hidden = true;
      history.replaceState(null, "", location.pathname);
      say("The password is set. Sign in with it.");
    } else {
      say((await answer.json()).error.message);
    }
  } catch {
    say("The server did not answer. Try again in a moment.");
  }
});
