"use strict";
const out = (id) => document.getElementById(id), D = JSON.parse(out("data").textContent), box = {}, bar = {};
const ELSEWHERE = "The model is not known to go this way at these sizes: ask for a report there";
const WORDS = { good: "Runs, and loses no rows.", fair: "Runs, but loses rows.", no: "Does not run.", open: "Not told here." };
const text = (n) => n.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const lines = [...document.querySelectorAll("#layers tbody tr[id]")];
D.nets.forEach((net, place) => { net.values = F[place]; });
const at = (net, sizes) => {
  try { return net.values(...net.own.map((one) => (typeof one === "number" ? sizes[one] : BigInt(one)))); }
  catch (error) { if (error instanceof RangeError) return null; throw error; }
};
const told = (one, v) => (one.says[`=${v[one.size]}`] || one.says[v[one.value].toString()] || one.says[""]).map((part, place) => (place % 2 ? v[part].toString() : part)).join("");
function judged(net, v) {
  if (v === null) return { kind: "no", why: "the model divides by a size that is 0" };
  if (net.path.some((place) => v[place] < 0n)) return { kind: "open", why: ELSEWHERE };
  const first = net.conditions.find((one) => v[one.value] < 0n);
  if (!first) return { kind: "good", why: "" };
  return { kind: first.kind === "runs" ? "no" : "fair", why: told(first, v), row: first.row };
}
function near(net, sizes, wanted) {
  const found = [], fits = (tried) => wanted.includes(judged(net, at(net, tried)).kind);
  const moved = (places, step) => sizes.map((size, place) => (places.includes(place) ? size + step : size));
  const closest = (places, way) => {
    for (let k = 1n; k <= 600n; k++) {
      const tried = moved(places, way * k);
      if (tried.some((size) => size < 1n)) return null;
      if (fits(tried)) return tried;
    }
    return null;
  };
  net.spatial.forEach((place) => {
    const sides = [-1n, 1n].map((way) => closest([place], way)).filter((tried) => tried !== null).map((tried) => tried[place]);
    if (sides.length) found.push(`${D.letters[place]} = ${sides.join(" or ")}`);
  });
  if (!found.length && net.spatial.length > 1) for (const way of [-1n, 1n]) {
    const tried = closest(net.spatial, way);
    if (tried) found.push(net.spatial.map((place) => `${D.letters[place]} = ${tried[place]}`).join(", "));
  }
  return found.join("; or ");
}
function comb(net, sizes, place) {
  const drawing = out(`${net.prefix}comb`), half = Math.floor(Math.max(41, Math.min(97, drawing.clientWidth / 6)) / 2), bars = [];
  const first = sizes[place] > half ? sizes[place] - BigInt(half) : 1n;
  for (let k = 0; k < 2 * half + 1; k++) {
    const size = first + BigInt(k), tried = sizes.slice(), x = k * 6;
    tried[place] = size;
    const kind = judged(net, at(net, tried)).kind, high = { good: 40, fair: 24, no: 8, open: 16 }[kind], mark = size === sizes[place] ? " here" : "";
    bars.push(`<rect class="${kind}${mark}" x="${x}" y="${40 - high}" width="5" height="${high}"><title>${D.letters[place]} = ${size}</title></rect>`);
    if (size % 16n === 0n) bars.push(`<text x="${x + 2}" y="53" text-anchor="middle">${size}</text>`);
  }
  drawing.setAttribute("viewBox", `-6 0 ${12 * half + 18} 56`);
  drawing.innerHTML = bars.join("");
  out(`${net.prefix}comb-of`).textContent = D.letters[place];
}
function tell(net, sizes) {
  const v = at(net, sizes), verdict = judged(net, v), status = out(`${net.prefix}status`);
  let words = verdict.why ? `${WORDS[verdict.kind]} ${verdict.why}.` : WORDS[verdict.kind];
  if (verdict.kind === "no") { const some = near(net, sizes, ["good", "fair"]); words += some ? ` Closest that run: ${some}.` : ""; }
  if (verdict.kind === "no" || verdict.kind === "fair") { const some = near(net, sizes, ["good"]); words += some ? ` Closest that lose none: ${some}.` : ""; }
  status.className = `status ${verdict.kind}`;
  status.textContent = words;
  const whole = verdict.kind === "good" || verdict.kind === "fair", end = whole ? net.rows.length : verdict.row || 0;
  const shape = (places) => places.map((place) => (typeof place === "number" ? v[place] : place)).join("x");
  const [output, params, macs] = net.cells;
  net.rows.forEach((one, place) => {
    const cells = lines[net.lines[place]].children;
    cells[output].textContent = place < end ? shape(one.shape) : "–";
    cells[macs].textContent = place >= end ? "–" : one.macs === null ? "not counted" : text(v[one.macs]);
    if (one.params !== null && place < end) cells[params].textContent = text(v[one.params]);
  });
  net.found = v === null ? {} : { params: v[net.params] };
  if (whole) {
    let alive = net.held.reduce((sum, place) => sum + v[place], 0n), most = alive;
    net.life.forEach(([made, gone]) => {
      made.forEach((place) => { alive += v[place]; });
      if (alive > most) most = alive;
      gone.forEach((place) => { alive -= v[place]; });
    });
    Object.assign(net.found, { macs: v[net.macs], flops: 2n * v[net.macs], activations: v[net.activations], peak: most * BigInt(net.bytes) });
  }
  const put = (name, words) => { const place = out(net.prefix + name); if (place) place.textContent = words; };
  for (const name of ["params", "macs", "flops", "activations", "peak"]) {
    const value = net.found[name], least = D.nets.length > 1 && net.least && (name === "macs" || name === "flops");
    put(name, value === undefined ? "–" : (least ? "at least " : "") + text(value));
  }
  const inputs = v === null ? "–" : net.inputs.map(shape).join(", "), outputs = whole ? net.outputs.map(shape).join(", ") : "–";
  put("input", inputs);
  put("output", out(`${net.prefix}input`) ? outputs : `${inputs} → ${outputs}`);
  comb(net, sizes, last);
}
// b / a to three digits, a half to the even one, as the library writes it
function ratio(a, b) {
  if (a === 0n) return "-";
  const rest = 2n * (b % a), whole = b / a;
  if (b >= 100n * a) return `${text(rest > a || (rest === a && whole % 2n === 1n) ? whole + 1n : whole)}x`;
  const exact = Number(b) / Number(a), [digits, power] = exact.toExponential(30).split("e");
  const value = /^\d\.\d[02468]50*$/.test(digits) ? Number(`${digits.slice(0, 4)}e${power}`) : Number(exact.toPrecision(3));
  if (value === 1 && a !== b) return "almost 1x";
  return `${value && value < 1e-4 ? value.toExponential().replace(/-(\d)$/, "-0$1") : value}x`;
}
function differ() {
  const [a, b] = D.nets, uncounted = a.least || b.least;
  for (const name of ["params", "macs", "flops", "activations", "peak"]) {
    const one = a.found[name], two = b.found[name], known = one !== undefined && two !== undefined && !(uncounted && (name === "macs" || name === "flops"));
    out(`${name}-difference`).textContent = known ? (two === one ? "0" : (two < one ? "−" : "+") + text(two < one ? one - two : two - one)) : "-";
    out(`${name}-ratio`).textContent = known ? ratio(one, two) : "-";
  }
  const sides = D.nets.map((net) => net.cells);
  document.querySelectorAll("#layers tr.kin").forEach((line) => {
    const same = sides[0].every((place, at) => line.children[place].textContent === line.children[sides[1][at]].textContent);
    line.children[sides[0][2] + 1].textContent = same ? "=" : "|";
  });
}
let last = D.nets[0].spatial[0] || 0, row = "";
function show() {
  const sizes = D.letters.map((letter) => { try { const n = BigInt(box[letter].value || "0"); return n < 1n ? null : n; } catch { return null; } });
  if (sizes.includes(null)) {
    D.nets.forEach((net) => Object.assign(out(`${net.prefix}status`), { className: "status no", textContent: "A size is a whole number from 1 on." }));
    return;
  }
  D.nets.forEach((net) => tell(net, sizes));
  if (D.nets.length > 1) differ();
  look();
  remember();
}
// what a line of the table is called in a link: its layer, of two networks both
const called = lines.map((line, place) => {
  const names = D.nets.map((net) => (net.rows[net.lines.indexOf(place)] || { name: "" }).name);
  return names.every((name) => name === names[0]) ? names[0] : names.join(" | ");
});
function remember() {
  if (location.protocol === "about:") return; // in a frame there is no address
  const link = D.letters.map((letter) => `${encodeURIComponent(letter)}=${box[letter].value}`).join("&");
  history.replaceState(null, "", `#${link}${row ? `&row=${encodeURIComponent(row)}` : ""}`);
}
function look() {
  const place = called.indexOf(row);
  document.querySelectorAll("tr.looked").forEach((each) => each.classList.remove("looked"));
  if (place >= 0) lines[place].classList.add("looked");
  D.nets.forEach((net) => map(net, net.rows[net.lines.indexOf(place)]));
}
function map(net, one) {
  out(`${net.prefix}field`).hidden = !one || !one.field || !net.spatial.length;
  if (out(`${net.prefix}field`).hidden) return;
  const wide = net.spatial.map((place) => Number(box[D.letters[place]].value)), field = one.field;
  const across = wide[wide.length - 1], tall = field.length > 1 ? wide[0] : Math.max(1, across / 8), scale = 160 / Math.max(across, tall);
  const h = Math.min(field.length > 1 ? field[0] : tall, tall) * scale, w = Math.min(field[field.length - 1], across) * scale;
  out(`${net.prefix}field-of`).textContent = `${one.name}: receptive field ${field.join("x")}${one.whole ? ", and everything besides" : ""}`;
  out(`${net.prefix}field-map`).innerHTML = `<rect class="map" x="1" y="1" width="${across * scale}" height="${tall * scale}"/><rect class="seen" x="${1 + (across * scale - w) / 2}" y="${1 + (tall * scale - h) / 2}" width="${w}" height="${h}"/>`;
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
lines.forEach((line, place) => {
  const choose = () => { row = called[place]; look(); };
  line.addEventListener("pointerenter", choose);
  line.addEventListener("focusin", () => { choose(); remember(); });
});
document.querySelectorAll("button.fold").forEach((button) => button.addEventListener("click", () => {
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  document.querySelectorAll(`tr[data-block="${button.dataset.block}"]`).forEach((line) => { line.hidden = open; });
}));
document.querySelectorAll("#layers thead button").forEach((button, place, buttons) => button.addEventListener("click", () => {
  const body = document.querySelector("#layers tbody"), up = button.dataset.up !== "1";
  buttons.forEach((each) => { delete each.dataset.up; each.parentElement.removeAttribute("aria-sort"); });
  button.dataset.up = up ? "1" : "0";
  button.parentElement.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = (line) => { const cell = line.children[place].textContent; const n = cell.replace(/[,.]/g, ""); return /^\d+$/.test(n) ? Number(n) : cell; };
  body.querySelectorAll("tr.block").forEach((line) => { line.hidden = true; });
  const both = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true }));
  lines.forEach((line) => { line.hidden = false; });
  [...lines].sort((a, b) => (up ? 1 : -1) * both(value(a), value(b))).forEach((line) => body.append(line));
}));
window.addEventListener("hashchange", () => { link(); show(); });
window.addEventListener("resize", show);
link();
show();
