/* Small comforts of every page. Each only adds to what plain HTML does: without this file everything still works. */
"use strict";

(() => {
  /* --- Live pages: htmx asks again while somebody looks ---------------------------------------------------
     The element [data-live] carries hx-get and hx-trigger="refresh". About once a second while the page is visible,
     oftener while it says [data-busy], that is, while a new forecast is on its way; never while it is hidden; less
     and less often while the server does not answer. */
  const EVERY_MS = 1000;
  const BUSY_MS = 250;
  const SLOWEST_MS = 30000;
  let waitMs = EVERY_MS;
  let timer = 0;

  const livePart = () => document.querySelector("[data-live]");

  function schedule() {
    clearTimeout(timer);
    if (!document.hidden && livePart()) {
      timer = setTimeout(ask, waitMs === EVERY_MS && livePart().hasAttribute("data-busy") ? BUSY_MS : waitMs);
    }
  }

  function ask() {
    const part = livePart();
    if (part && !document.hidden) {
      htmx.trigger(part, "refresh", {}, false);
    }
    schedule();
  }

  function connected(yes) {
    waitMs = yes ? EVERY_MS : Math.min(waitMs * 2, SLOWEST_MS);
    document.body.toggleAttribute("data-disconnected", !yes);
    schedule();
  }

  const isLive = (event) => event.detail.ctx?.sourceElement?.hasAttribute("data-live");

  document.addEventListener("htmx:after:request", (event) => {
    if (isLive(event) && event.detail.ctx.response.status < 400) {
      connected(true);
    }
  });

  for (const failure of ["htmx:error", "htmx:response:error"]) {
    document.addEventListener(failure, (event) => {
      if (isLive(event)) {
        connected(false);
      } else if (event.detail.ctx?.sourceElement?.href) {
        // A link that htmx could not follow is followed by the browser, which shows the error page.
        window.location.href = event.detail.ctx.sourceElement.href;
      } else {
        // A form keeps what was typed, and says that it was not heard.
        event.detail.ctx?.sourceElement?.closest("form")?.toggleAttribute("data-unanswered", true);
      }
    });
  }

  document.addEventListener("htmx:before:request", (event) => {
    event.detail.ctx?.sourceElement?.closest("form")?.removeAttribute("data-unanswered");
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      waitMs = EVERY_MS;
      clearTimeout(timer);
      ask();
    }
  });

  /* --- Colours: change at once, and tell the server for the next page ------------------------------------- */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form.theme") || !event.submitter) {
      return;
    }
    event.preventDefault();
    const theme = event.submitter.value;
    document.querySelector('meta[name="theme"]').content = theme;
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.value === theme));
    }
    document.dispatchEvent(new CustomEvent("theme:chosen"));
    fetch(form.action, { method: "POST", body: new FormData(form, event.submitter), redirect: "manual" });
  });

  /* --- Keyboard: g and a letter goes to a page, / searches, Esc closes what is open ----------------------- */
  let afterG = 0;

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) {
      return;
    }
    const search = event.key === "/" && document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "g") {
      afterG = event.timeStamp;
    } else if (event.timeStamp - afterG < 1500 && /^[a-z]$/.test(event.key)) {
      afterG = 0;
      document.querySelector(`[data-go="${event.key}"]`)?.click();
    }
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    }
  });

  schedule();
})();
