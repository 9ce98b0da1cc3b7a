"use strict";
// What makes the office faster for those who use it all day. Nothing depends on it.
(() => {
	const palette = () => document.getElementById("palette");

	// The palette: words that were typed leave the entries that have them.
	const filter = (words) => {
		for (const entry of palette().querySelectorAll("li")) {
			entry.hidden = !entry.textContent.toLowerCase().includes(words.trim().toLowerCase());
		}
	};
	document.addEventListener("input", (event) => {
		if (event.target.id === "palette-q") filter(event.target.value);
	});

	const typing = (target) => target.matches("input, textarea, select, [contenteditable]");
	let went = 0;
	document.addEventListener("keydown", (event) => {
		if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
			event.preventDefault();
			palette().showModal();
			return;
		}
		if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
		if (event.key === "?") document.getElementById("shortcuts").showModal();
		if (event.key === "g") went = Date.now();
		else if (Date.now() - went < 1500) {
			const link = document.querySelector(`.side [data-shortcut="${CSS.escape(event.key)}"]`);
			if (link) location.href = link.href;
		}
	});
	for (const dialog of document.querySelectorAll("dialog")) {
		dialog.addEventListener("click", (event) => {
			if (event.target === dialog) dialog.close();
		});
	}

	// On a phone the parts of the office are a row: the current one is in sight.
	document.querySelector(".side [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

	// One box chooses all rows of a table.
	for (const all of document.querySelectorAll("[data-all]")) {
		all.hidden = false;
		all.addEventListener("change", () => {
			for (const row of document.querySelectorAll(`[name="${all.dataset.all}"]`)) row.checked = all.checked;
		});
	}
	for (const button of document.querySelectorAll("[data-opens]")) button.hidden = false;
	for (const button of document.querySelectorAll("[data-prints]")) {
		button.hidden = false;
		button.addEventListener("click", () => print());
	}

	// Events as they are emitted. The stream goes on where it stopped after the connection was lost.
	const list = document.getElementById("events");
	if (list && window.EventSource) {
		const state = document.getElementById("stream-state");
		const pause = document.getElementById("pause");
		const held = [];
		const show = (message) => {
			const event = JSON.parse(message.data);
			const known = document.getElementById(message.lastEventId);
			const row = known || list.insertRow(0);
			row.id = message.lastEventId;
			row.className = "new";
			row.replaceChildren();
			const cell = (text) => Object.assign(row.insertCell(), { textContent: text || "" });
			cell(new Date(event.time).toISOString().slice(11, 23)).className = "num";
			cell(event.type + (event.alias ? " " + event.alias : ""));
			const order = cell("");
			if (event.order_id) order.append(Object.assign(document.createElement("a"), { href: `/office/orders/${event.order_id}#engine-room`, textContent: event.order_id.slice(-8) }));
			cell(event.emitter);
			const consumers = cell("");
			for (const c of event.consumers || []) {
				const colour = { handled: "good", dead_letter: "bad", waiting: "info" }[c.state];
				consumers.append(Object.assign(document.createElement("span"), { className: `state ${colour}`, textContent: c.function + (c.after_ms == null ? "" : ` ${c.after_ms} ms`) }));
			}
			while (list.rows.length > 500) list.deleteRow(-1);
		};
		const stream = new EventSource(list.dataset.stream);
		stream.onopen = () => { state.textContent = state.dataset.live; };
		stream.onerror = () => { state.textContent = state.dataset.lost; };
		stream.onmessage = (message) => { if (pause.ariaPressed === "true") held.push(message); else show(message); };
		pause.hidden = false;
		pause.addEventListener("click", () => {
			const paused = pause.ariaPressed !== "true";
			pause.ariaPressed = String(paused);
			state.textContent = paused ? state.dataset.paused : state.dataset.live;
			if (!paused) held.splice(0).forEach(show);
		});
	}
})();
