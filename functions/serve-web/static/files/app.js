"use strict";
// What makes the pages faster or easier to use where scripts run. Nothing depends on it.
(() => {
	const ready = (root) => {
		for (const part of root.querySelectorAll("[data-shows], [data-step]")) part.hidden = false;
		for (const time of root.querySelectorAll("time[data-local]")) localise(time);
	};

	// Times in the zone of the visitor.
	const localise = (time) => {
		const at = new Date(time.dateTime);
		if (!isNaN(at)) time.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
	};

	const announce = (words) => { document.getElementById("live").textContent = words; };

	document.addEventListener("click", (event) => {
		const button = event.target.closest("button");
		if (!button) return;
		if (button.dataset.shows) {
			const field = document.getElementById(button.dataset.shows);
			const shown = field.type === "text";
			field.type = shown ? "password" : "text";
			button.setAttribute("aria-pressed", String(!shown));
		}
		if (button.dataset.step) {
			const field = button.parentElement.querySelector("input");
			const next = Number(field.value) + Number(button.dataset.step);
			field.value = Math.min(Math.max(next, Number(field.min) || 1), Number(field.max) || next);
			field.dispatchEvent(new Event("change", { bubbles: true }));
		}
		if (button.dataset.opens) document.getElementById(button.dataset.opens).showModal();
		if (button.dataset.closes !== undefined) button.closest("dialog").close();
	});

	// A form is sent once, however often its button is pressed.
	document.addEventListener("submit", (event) => {
		const form = event.target;
		if (form.dataset.sent) {
			event.preventDefault();
			return;
		}
		const button = form.querySelector("[data-once]");
		if (!button) return;
		form.dataset.sent = "1";
		button.setAttribute("aria-busy", "true");
	});
	window.addEventListener("pageshow", () => {
		for (const form of document.querySelectorAll("[data-sent]")) {
			delete form.dataset.sent;
			form.querySelector("[data-once]")?.removeAttribute("aria-busy");
		}
	});

	// Choices that lead to another view at once.
	document.addEventListener("change", (event) => {
		if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
	});

	// A banner while the shop does not answer.
	const check = async () => {
		const banner = document.getElementById("offline");
		if (!banner || document.hidden) return;
		try {
			const answer = await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(8000) });
			banner.hidden = answer.ok;
		} catch {
			banner.hidden = false;
		}
	};
	setInterval(check, 20000);
	window.addEventListener("offline", check);
	window.addEventListener("online", check);

	document.addEventListener("DOMContentLoaded", () => {
		ready(document);
		document.getElementById("errors")?.focus();
		const now = document.querySelector("form[data-now]");
		if (now) now.requestSubmit();
	});
	window.popup = { ready, announce };
})();
