"use strict";
const D = JSON.parse(document.getElementById("data").textContent), box = {}, bar = {}, out = (id) => document.getElementById(id);
const text = (n) => n.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const at = (sizes) => { try { return F(...sizes); } catch (error) { if (error instanceof RangeError) return null; throw error; } };
const told = (says, v, place) => (says[v[place].toString()] || says[""]).map((part, place) => (place % 2 ? v[part].toString() : part)).join("");
const other = (v) => D.path.some((place) => v[place] < 0n);
function judged(v) {
  if (v === null) return { kind: "no", why: "the model divides by a size that is 0" };
  if (other(v)) return { kind: "open", why: D.elsewhere };
  const first = D.conditions.find((one) => v[one.value] < 0n);
  if (!first) return { kind: "good", why: "" };
  return { kind: first.kind === "runs" ? "no" : "fair", why: told(first.says, v, first.value), row: first.row };
}
const WORDS = { good: "Runs, and loses no rows.", fair: "Runs, but loses rows.", no: "Does not run.", open: "Not told here." };
function near(sizes, wanted) {
  const found = [];
  D.spatial.forEach((place) => {
    const letter = D.letters[place], sides = [-1n, 1n].map((step) => {
      for (let k = 1n; k <= 600n; k++) {
        const size = sizes[place] + step * k;
        if (size < 1n) return null;
        const tried = sizes.slice();
        tried[place] = size;
        if (wanted.includes(judged(at(tried)).kind)) return size;
      }
      return null;
    }).filter((size) => size !== null);
    if (sides.length) found.push(`${letter} = ${sides.join(" or ")}`);
  });
  if (!found.length && D.spatial.length > 1) for (const step of [-1n, 1n]) for (let k = 1n; k <= 600n; k++) {
    const tried = sizes.map((size, place) => (D.spatial.includes(place) ? size + step * k : size));
    if (tried.some((size) => size < 1n)) break;
    if (wanted.includes(judged(at(tried)).kind)) {
      found.push(D.spatial.map((place) => `${D.letters[place]} = ${tried[place]}`).join(", "));
      break;
    }
  }
  return found.join("; or ");
}
function comb(sizes, place) {
  const first = sizes[place] > 48n ? sizes[place] - 48n : 1n, bars = [];
  for (let k = 0n; k < 97n; k++) {
    const tried = sizes.slice();
    tried[place] = first + k;
    const kind = judged(at(tried)).kind, high = { good: 40, fair: 24, no: 8, open: 16 }[kind], x = Number(k) * 6;
    const mark = first + k === sizes[place] ? " here" : "";
    bars.push(`<rect class="${kind}${mark}" x="${x}" y="${40 - high}" width="5" height="${high}"><title>${D.letters[place]} = ${first + k}</title></rect>`);
    if ((first + k) % 16n === 0n) bars.push(`<text x="${x + 2}" y="53" text-anchor="middle">${first + k}</text>`);
  }
  out("comb").innerHTML = bars.join("");
  out("comb-of").textContent = D.letters[place];
}
let last = D.spatial[0] || 0, row = "";
function show() {
  const sizes = D.letters.map((letter) => { try { const n = BigInt(box[letter].value || "0"); return n < 1n ? null : n; } catch { return null; } });
  const status = out("status");
  if (sizes.includes(null)) { status.className = "no"; status.textContent = "A size is a whole number from 1 on."; return; }
  const v = at(sizes), verdict = judged(v);
  let words = verdict.why ? `${WORDS[verdict.kind]} ${verdict.why}.` : WORDS[verdict.kind];
  if (verdict.kind === "no") { const some = near(sizes, ["good", "fair"]); words += some ? ` Closest that run: ${some}.` : ""; }
  if (verdict.kind === "no" || verdict.kind === "fair") { const some = near(sizes, ["good"]); words += some ? ` Closest that lose none: ${some}.` : ""; }
  status.className = verdict.kind;
  status.textContent = words;
  const whole = verdict.kind === "good" || verdict.kind === "fair", end = whole ? D.rows.length : verdict.row || 0;
  if (v === null) for (const id of ["output", "macs", "peak"]) out(id).textContent = "–";
  else {
    const shape = (places) => places.map((place) => (typeof place === "number" ? v[place] : place)).join("x");
    D.rows.forEach((one, place) => {
      const cells = document.getElementById(`r${place}`).children;
      if (place >= end) { cells[2].textContent = cells[4].textContent = "–"; return; }
      cells[2].textContent = shape(one.shape);
      if (one.params !== null) cells[3].textContent = text(v[one.params]);
      cells[4].textContent = one.macs === null ? "not counted" : text(v[one.macs]);
    });
    out("output").textContent = `${D.inputs.map(shape).join(", ")} → ${whole ? D.outputs.map(shape).join(", ") : "–"}`;
    out("macs").textContent = whole ? text(v[D.macs]) : "–";
    out("params").textContent = text(v[D.params]);
    let alive = D.held.reduce((sum, place) => sum + v[place], 0n), most = alive;
    D.life.forEach(([made, gone]) => {
      made.forEach((place) => { alive += v[place]; });
      if (alive > most) most = alive;
      gone.forEach((place) => { alive -= v[place]; });
    });
    out("peak").textContent = whole ? text(most * BigInt(D.bytes)) : "–";
  }
  comb(sizes, last);
  look();
  const link = D.letters.map((letter) => `${encodeURIComponent(letter)}=${box[letter].value}`).join("&");
  history.replaceState(null, "", `#${link}${row ? `&row=${encodeURIComponent(row)}` : ""}`);
}
function look() {
  const place = D.rows.findIndex((one) => one.name === row), one = D.rows[place];
  document.querySelectorAll("tr.looked").forEach((each) => each.classList.remove("looked"));
  if (!one || !one.field) { out("field").hidden = true; return; }
  document.getElementById(`r${place}`).classList.add("looked");
  const wide = D.spatial.map((spot) => Number(box[D.letters[spot]].value)), tall = one.field.length > 1 ? wide[0] : Math.max(1, wide[wide.length - 1] / 8);
  const across = wide[wide.length - 1], scale = 160 / Math.max(across, tall), h = Math.min((one.field.length > 1 ? one.field[0] : tall), tall) * scale;
  const w = Math.min(one.field[one.field.length - 1], across) * scale;
  out("field").hidden = false;
  out("field-of").textContent = `${one.name}: receptive field ${one.field.join("x")}${one.whole ? ", and everything besides" : ""}`;
  out("field-map").innerHTML = `<rect class="map" x="1" y="1" width="${across * scale}" height="${tall * scale}"/><rect class="seen" x="${1 + (across * scale - w) / 2}" y="${1 + (tall * scale - h) / 2}" width="${w}" height="${h}"/>`;
}
function link() {
  for (const part of location.hash.slice(1).split("&")) {
    const [name, value] = part.split("=").map(decodeURIComponent);
    if (name === "row") row = value;
    else if (box[name]) { box[name].value = value; bar[name].value = value; }
  }
}
D.letters.forEach((letter, place) => {
  box[letter] = out(`box-${place}`);
  bar[letter] = out(`bar-${place}`);
  box[letter].addEventListener("input", () => { last = place; bar[letter].value = box[letter].value; show(); });
  bar[letter].addEventListener("input", () => { last = place; box[letter].value = bar[letter].value; show(); });
});
D.rows.forEach((one, place) => {
  const line = document.getElementById(`r${place}`), choose = () => { row = one.name; look(); };
  line.addEventListener("pointerenter", choose);
  line.addEventListener("focusin", choose);
});
document.querySelectorAll("button.fold").forEach((button) => button.addEventListener("click", () => {
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  document.querySelectorAll(`tr[data-block="${button.dataset.block}"]`).forEach((line) => { line.hidden = open; });
}));
document.querySelectorAll("thead button").forEach((button, place) => button.addEventListener("click", () => {
  const body = document.querySelector("tbody"), lines = [...body.querySelectorAll("tr[id]")], up = button.dataset.up !== "1";
  document.querySelectorAll("thead button").forEach((each) => { delete each.dataset.up; each.parentElement.removeAttribute("aria-sort"); });
  button.dataset.up = up ? "1" : "0";
  button.parentElement.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = (line) => { const cell = line.children[place].textContent; const n = cell.replace(/[,.]/g, ""); return /^\d+$/.test(n) ? Number(n) : cell; };
  body.querySelectorAll("tr.block").forEach((line) => { line.hidden = true; });
  const both = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true }));
  lines.forEach((line) => { line.hidden = false; });
  lines.sort((a, b) => (up ? 1 : -1) * both(value(a), value(b))).forEach((line) => body.append(line));
}));
window.addEventListener("hashchange", () => { link(); show(); });
link();
show();
