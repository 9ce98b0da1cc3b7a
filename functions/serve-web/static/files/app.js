"use strict";
// What makes the pages faster or easier to use where scripts run. Nothing depends on it.
(() => {
	const ready = (root) => {
		for (const time of root.querySelectorAll("time[data-local]")) localise(time);
		for (const part of root.querySelectorAll("[data-follows]")) follow(part);
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
			const before = field.value;
			const next = Number(before) + Number(button.dataset.step);
			field.value = Math.min(Math.max(next, Number(field.min) || 1), Number(field.max) || next);
			if (field.value !== before) field.dispatchEvent(new Event("change", { bubbles: true }));
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
	const release = (form) => {
		delete form.dataset.sent;
		form.querySelector("[data-once]")?.removeAttribute("aria-busy");
	};
	window.addEventListener("pageshow", () => {
		for (const form of document.querySelectorAll("[data-sent]")) release(form);
	});

	// What htmx put into the page. The basket appears beside it.
	document.addEventListener("htmx:after:swap", () => {
		ready(document);
		const drawer = document.getElementById("drawer");
		const basket = document.querySelector("#drawer-body > #basket");
		if (basket && !drawer.open) {
			drawer.showModal();
			announce(document.getElementById("basket-link").getAttribute("aria-label"));
		}
		document.querySelector("#errors:not(:focus)")?.focus();
		for (const form of document.querySelectorAll("[data-sent]")) release(form);
	});

	// An order's page follows its stream, and asks now and then where there is none.
	let following = null;
	const follow = (part) => {
		if (following) return;
		const refresh = () => htmx.ajax("GET", location.pathname, { target: "#order", select: "#order", swap: "outerMorph" });
		following = new EventSource("/v1/orders/" + encodeURIComponent(part.dataset.follows) + "/stream");
		const changed = () => {
			if (document.querySelector("[data-follows]")) refresh();
			else following.close();
		};
		following.onmessage = (event) => {
			if (event.lastEventId !== document.querySelector("[data-follows]")?.dataset.version) changed();
		};
		setInterval(() => { if (!document.hidden && following.readyState === EventSource.CLOSED) changed(); }, 5000);
		window.addEventListener("pagehide", () => following.close());
	};

	// The link of a mail has a token that browsers do not send. It is exchanged for a cookie.
	const openOrder = () => {
		const form = document.querySelector("form[data-opens-order]");
		const token = location.hash.slice(1);
		if (!token || !location.pathname.startsWith("/o/")) return;
		history.replaceState(null, "", location.pathname);
		if (!form) return;
		form.elements.token.value = token;
		form.submit();
	};

	// The link of a mail that sets a password has its code after #.
	const fillToken = () => {
		const form = document.querySelector("form[data-token-form]");
		const token = location.hash.slice(1);
		if (!form || !token || token === "main") return;
		history.replaceState(null, "", location.pathname);
		form.elements.token.value = decodeURIComponent(token);
		form.querySelector("[data-token-field]").hidden = true;
	};

	// The search box suggests products while a visitor types: arrows choose, Enter opens, Escape closes.
	const suggest = (box) => {
		const list = document.createElement("div");
		list.className = "suggestions";
		list.id = "suggestions-box";
		box.after(list);
		Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" })
			.forEach(([name, value]) => box.setAttribute(name, value));
		let timer, chosen = -1;
		const items = () => [...list.querySelectorAll("li")];
		const close = () => {
			list.replaceChildren();
			chosen = -1;
			box.setAttribute("aria-expanded", "false");
			box.removeAttribute("aria-activedescendant");
		};
		const choose = (n) => {
			chosen = (n + items().length) % items().length;
			items().forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
			box.setAttribute("aria-activedescendant", items()[chosen].id);
		};
		box.addEventListener("input", () => {
			clearTimeout(timer);
			timer = setTimeout(async () => {
				const words = box.value.trim();
				if (!words) return close();
				const answer = await fetch("/search/suggestions?q=" + encodeURIComponent(words));
				if (!answer.ok || words !== box.value.trim()) return;
				const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("ul");
				close();
				if (!found || !found.children.length) return;
				found.setAttribute("aria-label", box.placeholder);
				list.append(found);
				box.setAttribute("aria-expanded", "true");
			}, 150);
		});
		box.addEventListener("keydown", (event) => {
			if (event.key === "Escape") close();
			if (!items().length) return;
			if (event.key === "ArrowDown") choose(chosen + 1);
			else if (event.key === "ArrowUp") choose(chosen < 0 ? items().length - 1 : chosen - 1);
			else if (event.key === "Enter" && chosen >= 0) location.href = items()[chosen].dataset.to;
			else return;
			event.preventDefault();
		});
		list.addEventListener("click", (event) => {
			const item = event.target.closest("li");
			if (item) location.href = item.dataset.to;
		});
		box.addEventListener("blur", () => setTimeout(close, 150));
	};

	// A call of the API is tried with the visitor's own session.
	const tryCall = async (form) => {
		const url = new URL(location.origin + form.dataset.try.replace(/\{(\w+)\}/g, (all, name) => encodeURIComponent(form.elements[name]?.value || name)));
		for (const field of form.querySelectorAll('[data-in="query"]')) if (field.value) url.searchParams.set(field.name, field.value);
		const options = { method: form.dataset.method, headers: { Accept: "application/json", "Idempotency-Key": crypto.randomUUID() } };
		if (form.elements.body) {
			options.body = form.elements.body.value;
			options.headers["Content-Type"] = "application/json";
		}
		const answer = form.querySelector(".answer");
		try {
			const response = await fetch(url, options);
			const text = await response.text();
			let shown = text;
			try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* it is not JSON */ }
			answer.textContent = response.status + " " + url.pathname + url.search + "\n\n" + shown.slice(0, 20000);
		} catch (error) {
			answer.textContent = String(error);
		}
		answer.hidden = false;
	};
	document.addEventListener("submit", (event) => {
		if (!event.target.dataset.try) return;
		event.preventDefault();
		tryCall(event.target);
	});

	// The price and what is left are those of the chosen variant.
	document.addEventListener("change", (event) => {
		const chosen = event.target;
		if (!chosen.matches("[data-price]")) return;
		document.getElementById("price").textContent = chosen.dataset.price;
		const note = document.getElementById("stock-note");
		if (!note) return;
		note.textContent = chosen.dataset.note;
		note.className = "stock-note " + chosen.dataset.noteClass;
	});

	// Choices that lead to another view at once.
	document.addEventListener("change", (event) => {
		if (event.target.matches("[data-submits], .line-form [name=quantity]")) event.target.form.requestSubmit();
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
		openOrder();
		fillToken();
		document.querySelectorAll("[data-suggests]").forEach(suggest);
		document.getElementById("errors")?.focus();
		const now = document.querySelector("form[data-now]");
		if (now) now.requestSubmit();
	});
	window.popup = { ready, announce };
})();
