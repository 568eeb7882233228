(() => {
  "use strict";
  const store = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const language = document.documentElement.lang;
  // Months and numbers of axes; of English Plotly knows them by itself, and pages without drawings do not load it.
  if (language !== "en" && typeof Plotly !== "undefined") {
    const names = (options, dates) => dates.map((date) => new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" }).format(date));
    const months = [...Array(12).keys()].map((month) => Date.UTC(2024, month, 1));
    const days = [...Array(7).keys()].map((day) => Date.UTC(2024, 8, 1 + day)); // a Sunday first
    const parts = new Intl.NumberFormat(language).formatToParts(12345.6);
    const sign = (type) => parts.find((part) => part.type === type).value;
    Plotly.register({
      moduleType: "locale",
      name: language,
      dictionary: {},
      format: {
        days: names({ weekday: "long" }, days),
        shortDays: names({ weekday: "short" }, days),
        months: names({ month: "long" }, months),
        shortMonths: names({ month: "short" }, months),
        date: "%d/%m/%Y",
        decimal: sign("decimal"),
        thousands: sign("group"),
      },
    });
    Plotly.setPlotConfig({ locale: language });
  }
  const config = { displayModeBar: false, scrollZoom: false, doubleClick: false, responsive: true, showTips: false };

  // Figures carry the colours of the light page; a dark page swaps each for its counterpart.
  const recolour = (value) => {
    if (typeof value === "string") return Object.hasOwn(store.dark, value) ? store.dark[value] : value;
    if (Array.isArray(value)) return value.map(recolour);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, recolour(item)]));
    }
    return value;
  };
  // A sheet of paper has no size that a script could ask for: half or the whole of A4 without its margins.
  const paper = (box) => {
    const width = box.dataset.half === "yes" ? 318 : 660;
    return box.dataset.aspect ? { width, height: width / box.dataset.aspect } : { width };
  };
  // Names that stand on a map only where it is wide, or only where it is narrow.
  const phone = window.matchMedia("(max-width: 40rem)");
  const draw = (box, night, extra) => {
    const figure = night ? recolour(store.figures[box.id]) : structuredClone(store.figures[box.id]);
    const other = phone.matches && !extra ? "wide" : "narrow";
    const data = figure.data.filter((trace) => trace.meta !== other);
    const { height, ...layout } = figure.layout; // on the page the box says how high
    return Plotly.react(box, data, { ...layout, ...(extra ? { height, autosize: false, ...extra } : { autosize: true }) }, config);
  };
  const boxes = [...document.querySelectorAll(".plot")];
  const redraw = () => boxes.forEach((box) => draw(box, dark.matches));

  // One figure a task, so that the page answers while it draws.
  const queue = [...boxes];
  let printing = false;
  const next = () => {
    const box = queue.shift();
    if (!box) {
      document.documentElement.dataset.drawn = "yes";
      return;
    }
    if (!printing) draw(box, dark.matches);
    setTimeout(next, 0);
  };
  next();
  dark.addEventListener("change", redraw);
  phone.addEventListener("change", redraw);
  window.addEventListener("beforeprint", () => {
    printing = true;
    boxes.forEach((box) => draw(box, false, paper(box)));
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    redraw();
  });

  // The table of probabilities: filter and sort.
  const table = document.getElementById("risk-table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const text = document.getElementById("risk-filter");
  const rule = document.getElementById("risk-rule");
  const told = document.getElementById("risk-shown");
  const plain = (value) => value.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const filter = () => {
    const wanted = plain(text.value.trim());
    let count = 0;
    for (const row of rows) {
      const visible =
        (!rule.value || row.dataset.rule === rule.value) && plain(row.cells[0].dataset.key).includes(wanted);
      row.hidden = !visible;
      count += visible;
    }
    table.classList.toggle("one-rule", rule.value !== "");
    told.textContent = told.dataset.told.replace("{count}", count).replace("{rows}", rows.length);
  };
  document.getElementById("risk-controls").hidden = false;
  text.addEventListener("input", filter);
  rule.addEventListener("change", filter);
  filter();

  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      const down = before ? before === "ascending" : numeric;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.key;
      const order = (a, b) => {
        if (!numeric) return (down ? -1 : 1) * key(a).localeCompare(key(b), language);
        const [x, y] = [Number.parseFloat(key(a)), Number.parseFloat(key(b))];
        if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y); // unknown ones last
        return down ? y - x : x - y;
      };
      body.append(...rows.sort(order));
    });
  });
})();
