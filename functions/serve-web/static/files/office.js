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
})();
