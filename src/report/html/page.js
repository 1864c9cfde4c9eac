// uPlot, above, is Copyright (c) Leon Sorokin and used under the MIT licence.
//
// Puts plots that can be zoomed and read under the pointer in the place of the images. The page is complete without it.
(() => {
  "use strict";

  const DASHES = [[], [], [7, 3], [2, 3], [9, 3, 2, 3], [12, 4], [1, 4]];
  const LINES = ["line", "marked", "band"];
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(name).trim();
  const drawn = [];

  // A number as short as its size lets it be.
  function brief(value) {
    const size = Math.abs(value);
    const [by, suffix] = size >= 1e9 ? [1e9, "G"] : size >= 1e6 ? [1e6, "M"] : size >= 2e4 ? [1e3, "k"] : [1, ""];
    return Number((value / by).toPrecision(6)) + suffix;
  }

  function figure(value, axis) {
    const digits = Number(value.toPrecision(4)).toLocaleString("en", {maximumSignificantDigits: 6});
    return axis.unit === "" ? digits : `${digits} ${axis.unit}`;
  }

  // The quantile beyond which one request in so many lies.
  function percentile(oneIn) {
    const power = Math.log10(oneIn);
    const isRound = Math.abs(power - Math.round(power)) < 1e-6;
    const digits = Math.max(0, Math.floor(power + 1e-6) - 2) + (isRound || oneIn <= 100 ? 0 : 2);
    return `${(100 * (1 - 1 / oneIn)).toFixed(digits)} %`;
  }

  // Powers of ten, and 2 and 5 times these where there are few.
  function powers(low, high, enough) {
    const round = [], between = [];
    for (let power = -9; power < 13; power += 1) {
      round.push(10 ** power);
      between.push(10 ** power, 2 * 10 ** power, 5 * 10 ** power);
    }
    const inside = values => values.filter(value => value >= low * 0.999999 && value <= high * 1.000001);
    const few = inside(round);
    return few.length >= enough ? few : inside(between);
  }

  // 50 %, 90 %, 99 % and so on.
  function quantiles(low, high) {
    return [...(low <= 2 ? [2] : []), ...powers(Math.max(low, 2.5), high, 2)];
  }

  // What is drawn by hand stays within the plot, or so far beyond its edge that marks there are whole.
  function inside(plot, beyond, draw) {
    const {ctx, bbox} = plot, edge = beyond * uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - edge, bbox.top - edge, bbox.width + 2 * edge, bbox.height + 2 * edge);
    ctx.clip();
    draw(ctx, value => plot.valToPos(value, "x", true), value => plot.valToPos(value, "y", true), uPlot.pxRatio);
    ctx.restore();
  }

  function behind(plot, data) {
    inside(plot, 0, (ctx, x, y, ratio) => {
      const {left, top, width, height} = plot.bbox;
      for (const reference of data.references) {
        const isAcross = reference.on === "y";
        const at = (isAcross ? y : x)(reference.at);
        if (reference.within) {
          const [low, high] = reference.within.map(isAcross ? y : x);
          ctx.fillStyle = colour("--within");
          isAcross ? ctx.fillRect(left, high, width, low - high) : ctx.fillRect(low, top, high - low, height);
        }
        ctx.strokeStyle = colour("--ink");
        ctx.lineWidth = 1.2 * ratio;
        ctx.setLineDash([4 * ratio, 4 * ratio]);
        ctx.beginPath();
        ctx.moveTo(isAcross ? left : at, isAcross ? at : top);
        ctx.lineTo(isAcross ? left + width : at, isAcross ? at : top + height);
        ctx.stroke();
        ctx.setLineDash([]);
        name(plot, reference, at, ratio);
      }
      data.series.forEach((series, index) => {
        if (series.mark === "band" && series.within) {
          area(ctx, series, data.data[0], x, y);
        }
      });
    });
  }

  function name(plot, reference, at, ratio) {
    const {ctx, bbox: {left, top, width}} = plot;
    const isAcross = reference.on === "y";
    const isRight = isAcross || at > left + width / 2;
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = isRight ? "right" : "left";
    ctx.textBaseline = "alphabetic";
    ctx.fillStyle = colour("--muted");
    const near = 5 * ratio;
    const across = isAcross ? left + width - near : at + (isRight ? -near : near);
    const up = isAcross ? (at < top + 16 * ratio ? at + 13 * ratio : at - near) : top + 12 * ratio;
    ctx.fillText(reference.name, across, up);
  }

  function area(ctx, series, places, x, y) {
    const ends = series.within.map((within, at) => within && [x(places[at]), y(within[0]), y(within[1])]).filter(Boolean);
    ctx.beginPath();
    ends.forEach(([across, , high]) => ctx.lineTo(across, high));
    ends.slice().reverse().forEach(([across, low]) => ctx.lineTo(across, low));
    ctx.closePath();
    ctx.globalAlpha = 0.2;
    ctx.fillStyle = colour(`--c${series.colour}`);
    ctx.fill();
    ctx.globalAlpha = 1;
  }

  function before(plot, data) {
    inside(plot, 6, (ctx, x, y, ratio) => {
      data.series.forEach((series, index) => {
        const values = data.data[index + 1];
        const alone = values.filter(value => value !== null).length === 1;
        if (series.mark === "band" || (series.mark === "line" && !alone)) {
          return;
        }
        ctx.strokeStyle = ctx.fillStyle = colour(`--c${series.colour}`);
        values.forEach((value, at) => {
          if (value === null) {
            return;
          }
          const place = [x(data.data[0][at]), y(value)];
          if (series.mark === "limits") {
            limit(ctx, place, ratio);
            return;
          }
          const within = series.within && series.within[at];
          if (within) {
            whisker(ctx, place[0], within.map(y), ratio);
          }
          mark(ctx, series.colour, place, 3.6 * ratio);
        });
      });
    });
  }

  function limit(ctx, [x, y], ratio) {
    ctx.lineWidth = 2 * ratio;
    ctx.beginPath();
    ctx.moveTo(x - 12 * ratio, y);
    ctx.lineTo(x + 12 * ratio, y);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x - 4 * ratio, y - 8 * ratio);
    ctx.lineTo(x + 4 * ratio, y - 8 * ratio);
    ctx.lineTo(x, y - 1.5 * ratio);
    ctx.fill();
  }

  function whisker(ctx, x, [low, high], ratio) {
    ctx.lineWidth = 1.4 * ratio;
    ctx.beginPath();
    ctx.moveTo(x, low);
    ctx.lineTo(x, high);
    for (const y of [low, high]) {
      ctx.moveTo(x - 3 * ratio, y);
      ctx.lineTo(x + 3 * ratio, y);
    }
    ctx.stroke();
  }

  // A disc, a square, a triangle, a diamond.
  function mark(ctx, which, [x, y], size) {
    const corners = {
      2: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
      3: [[0, -1.3], [1.25, 1], [-1.25, 1]],
      0: [[0, -1.4], [1.4, 0], [0, 1.4], [-1.4, 0]],
    }[which % 4];
    ctx.beginPath();
    if (corners) {
      corners.forEach(([dx, dy]) => ctx.lineTo(x + dx * size, y + dy * size));
    } else {
      ctx.arc(x, y, 1.1 * size, 0, 2 * Math.PI);
    }
    ctx.fill();
  }

  function axis(of, isAcross) {
    const font = "12px system-ui, sans-serif";
    const size = (plot, values) => 14 + 7 * Math.max(1, ...(values || []).map(value => (value || "").length));
    const options = {
      font,
      stroke: () => colour("--muted"),
      grid: {stroke: () => colour("--grid"), width: 1},
      ticks: {show: false},
      size: isAcross ? 26 : size,
      gap: 6,
      space: isAcross ? 60 : 34,
      values: (plot, values) => values.map(value => value === null ? "" : brief(value)),
    };
    if (of.scale === "log") {
      options.splits = plot => powers(plot.scales[isAcross ? "x" : "y"].min, plot.scales[isAcross ? "x" : "y"].max, 4);
      options.filter = (plot, values) => values;
    }
    if (of.scale === "quantile") {
      options.splits = plot => quantiles(plot.scales.x.min, plot.scales.x.max);
      options.filter = (plot, values) => values;
      options.values = (plot, values) => values.map(percentile);
    }
    return options;
  }

  function lines(series) {
    const isLine = LINES.includes(series.mark);
    return {
      stroke: () => colour(`--c${series.colour}`),
      width: 1.8,
      dash: series.mark === "band" ? [5, 4] : DASHES[series.colour] || [],
      spanGaps: true,
      points: {show: false},
      paths: isLine ? undefined : () => null,
    };
  }

  // Says what is at a place, in the legend.
  function tell(plot, data, outputs, where) {
    const at = plot.cursor.idx;
    const isThere = at !== null && at !== undefined && plot.cursor.left >= 0;
    const place = isThere ? data.data[0][at] : null;
    where.textContent = !isThere ? "" : data.x.scale === "quantile" ? percentile(place) : figure(place, data.x);
    outputs.forEach((output, index) => {
      const value = isThere ? data.data[index + 1][at] : null;
      output.textContent = value === null || value === undefined ? "" : figure(value, data.y);
    });
  }

  function frame(data, title) {
    const element = (kind, name, text) => {
      const made = document.createElement(kind);
      made.className = name;
      made.textContent = text;
      return made;
    };
    const moving = element("div", "moving", "");
    moving.tabIndex = 0;
    moving.setAttribute("role", "application");
    moving.setAttribute("aria-label", `${title}. Arrow keys read values, plus and minus zoom, Escape shows all.`);
    moving.title = "Drag to zoom, double-click to show all";
    const names = element("div", "names", "");
    const where = element("output", "", "");
    names.append(element("span", "", data.y.label), where);
    const place = element("div", "", "");
    moving.append(names, place, element("div", "below", data.x.label));
    return {moving, place, where};
  }

  function keys(moving, plot, data, show) {
    const last = data.data[0].length - 1;
    const go = at => {
      const to = Math.min(last, Math.max(0, at));
      plot.setCursor({left: plot.valToPos(data.data[0][to], "x"), top: 0});
    };
    const zoom = by => {
      const {min, max} = plot.scales.x;
      const logarithmic = data.x.scale !== "linear";
      const [low, high] = logarithmic ? [Math.log10(min), Math.log10(max)] : [min, max];
      const middle = (low + high) / 2, half = by * (high - low) / 2;
      const ends = [middle - half, middle + half].map(end => logarithmic ? 10 ** end : end);
      const [least, most] = data.x.ends;
      show([Math.max(least, ends[0]), Math.min(most, ends[1])]);
    };
    moving.addEventListener("keydown", event => {
      const at = plot.cursor.idx ?? -1;
      const does = {
        ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), Home: () => go(0), End: () => go(last),
        "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), Escape: () => show(data.x.ends),
      }[event.key];
      if (does && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        does();
      }
    });
  }

  function draw(one, data) {
    const box = one.querySelector(".drawn");
    const outputs = [...one.querySelectorAll(".legend output")];
    const size = () => ({width: Math.floor(box.clientWidth), height: box.clientWidth < 420 ? 200 : 230});
    const {moving, place, where} = frame(data, one.querySelector("figcaption").textContent);
    const distribution = of => of.scale === "linear" ? 1 : 3;
    let show = () => {};
    const plot = new uPlot({
      ...size(),
      padding: [8, 12, 0, 0],
      legend: {show: false},
      cursor: {y: false, drag: {x: true, y: false, dist: 6}, points: {size: 7}, bind: {dblclick: () => () => show(data.x.ends)}},
      scales: {
        x: {time: false, distr: distribution(data.x), log: 10, range: data.x.ends},
        y: {distr: distribution(data.y), log: 10, range: data.y.ends},
      },
      axes: [axis(data.x, true), axis(data.y, false)],
      series: [{}, ...data.series.map(lines)],
      hooks: {
        drawAxes: [of => behind(of, data)],
        draw: [of => before(of, data)],
        setCursor: [of => tell(of, data, outputs, where)],
      },
    }, data.data, place);
    show = ([min, max]) => plot.setScale("x", {min, max});
    show(data.x.ends);
    box.prepend(moving);
    plot.setSize(size());
    new ResizeObserver(() => {
      if (box.clientWidth > 0 && size().width !== plot.width) {
        plot.setSize(size());
      }
    }).observe(box);
    moving.addEventListener("blur", () => plot.setCursor({left: -10, top: -10}));
    keys(moving, plot, data, show);
    drawn.push(plot);
  }

  for (const one of document.querySelectorAll("figure.plot")) {
    const source = one.querySelector("script");
    if (source) {
      draw(one, JSON.parse(source.textContent));
    }
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(plot => plot.redraw(false)));

  // Paper has no folds.
  const folds = [...document.querySelectorAll("details.fold")];
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = folds.filter(fold => !fold.open);
    closed.forEach(fold => { fold.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach(fold => { fold.open = false; }));
})();
