// The timeline on a canvas: the critical path, then kinds as strips of work and waiting, each opened to its steps on a click.
const canvas = document.getElementById('canvas')
const ROW = 18
const NAMES = 210
const TOP = 22
const css = getComputedStyle(document.documentElement)
const color = (name) => css.getPropertyValue('--' + name).trim()
let data = null
let kinds = []
let rows = []
let open = new Set((new URLSearchParams(location.search).get('open') || '').split(',').filter(Boolean))
let from = 0
let to = 1
let idle = []
let frame = 0

const clock = (seconds) => {
  const whole = Math.floor(seconds)
  const two = (number) => String(number).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours ? hours + ':' + two(minutes) + ':' + two(whole % 60) : two(minutes) + ':' + two(whole % 60)
}

// Time without the pieces in which nothing ran.
function packed(seconds) {
  let gone = 0
  for (const [begin, end] of idle) {
    if (seconds <= begin) break
    gone += (Math.min(seconds, end) - begin) * 0.95
  }
  return seconds - gone
}

function group() {
  const all = data.kinds.map((name) => ({ name, steps: [], first: Infinity }))
  data.kind.forEach((kind, at) => {
    all[kind].steps.push(at)
    all[kind].first = Math.min(all[kind].first, data.ready[at] ?? data.started[at])
  })
  kinds = all.filter((kind) => kind.steps.length).sort((a, b) => a.first - b.first)
  for (const kind of kinds) kind.steps.sort((a, b) => data.started[a] - data.started[b])
  layout()
}

function layout() {
  rows = [{ name: 'critical path', steps: data.path, single: true, path: true }]
  for (const kind of kinds) {
    rows.push({ ...kind, kind: true })
    if (!open.has(kind.name)) continue
    for (const at of kind.steps) rows.push({ name: '  ' + data.target[at], steps: [at], single: true })
  }
  const ratio = window.devicePixelRatio || 1
  canvas.height = (TOP + rows.length * ROW + 8) * ratio
  canvas.width = canvas.clientWidth * ratio
  canvas.style.setProperty('height', canvas.height / ratio + 'px')
  redraw()
}

function hatch(context) {
  const tile = document.createElement('canvas')
  tile.width = tile.height = 6
  const pen = tile.getContext('2d')
  pen.strokeStyle = color('n')
  pen.lineWidth = 1.4
  pen.beginPath()
  pen.moveTo(0, 6); pen.lineTo(6, 0); pen.moveTo(-2, 2); pen.lineTo(2, -2); pen.moveTo(4, 8); pen.lineTo(8, 4)
  pen.stroke()
  return context.createPattern(tile, 'repeat')
}

function redraw() {
  if (!frame) frame = requestAnimationFrame(() => {
    frame = 0
    const start = performance.now()
    draw()
    performance.measure('plinth-timeline', { start, end: performance.now() })
  })
}

function draw() {
  const context = canvas.getContext('2d')
  const ratio = window.devicePixelRatio || 1
  const wide = canvas.width / ratio
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, wide, canvas.height / ratio)
  context.font = '12px system-ui, sans-serif'
  const plot = wide - NAMES - 10
  const x = (seconds) => NAMES + ((packed(seconds) - from) / (to - from)) * plot
  const paint = { wait: hatch(context) }
  for (const name of 'fxalpncus') paint[name] = color(name)
  const ink = color('ink')
  const dim = color('dim')
  axis(context, x, wide, dim)
  rows.forEach((row, at) => {
    const y = TOP + at * ROW
    context.fillStyle = row.kind || row.path ? ink : dim
    const sign = row.kind ? (open.has(row.name) ? '▾ ' : '▸ ') : ''
    context.fillText((sign + row.name).slice(0, 34), 4, y + 12)
    context.save()
    context.beginPath()
    context.rect(NAMES, y, plot + 8, ROW)
    context.clip()
    if (row.single) bars(context, row, y, x, paint)
    else strip(context, row, y, x, plot, paint)
    context.restore()
  })
}

function axis(context, x, wide, dim) {
  const shown = to - from
  const step = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600].find((one) => shown / one <= 10) || 86400
  context.fillStyle = dim
  context.strokeStyle = color('line')
  context.beginPath()
  for (let at = 0; at <= data.elapsedS; at += step) {
    const place = x(at)
    if (place < NAMES || place > wide) continue
    context.moveTo(place, TOP - 4)
    context.lineTo(place, canvas.height)
    context.fillText(step < 1 ? at.toFixed(1) + ' s' : clock(at), place + 3, 12)
  }
  context.stroke()
}

function bars(context, row, y, x, paint) {
  for (const at of row.steps) {
    const begin = data.started[at]
    const end = data.ended[at] ?? data.elapsedS
    const ready = data.ready[at]
    if (ready !== null && begin - ready >= 0.05) {
      context.fillStyle = paint.wait
      context.fillRect(x(ready), y + 3, x(begin) - x(ready), ROW - 6)
    }
    context.fillStyle = paint[data.state[at]]
    context.fillRect(x(begin), y + 2, Math.max(x(end) - x(begin), 1), ROW - 5)
    const rehearsed = data.rehearsed[at]
    if (rehearsed) {
      context.fillStyle = paint.x
      context.fillRect(x(rehearsed[0]), y + ROW - 3, Math.max(x(rehearsed[1]) - x(rehearsed[0]), 1), 2)
    }
  }
}

// How many ran and waited at each pixel: one pass over the steps, one over the pixels.
function strip(context, row, y, x, plot, paint) {
  const size = Math.ceil(plot) + 2
  const ran = new Int32Array(size)
  const waited = new Int32Array(size)
  const place = (seconds) => Math.min(Math.max(Math.round(x(seconds) - NAMES), 0), size - 2)
  const failed = []
  for (const at of row.steps) {
    const begin = data.started[at]
    const end = data.ended[at] ?? data.elapsedS
    ran[place(begin)]++
    ran[Math.max(place(end), place(begin) + 1)]--
    const ready = data.ready[at]
    if (ready !== null && begin - ready >= 0.05) { waited[place(ready)]++; waited[place(begin)]-- }
    if (data.state[at] === 'f') failed.push(place(end))
  }
  const half = (counts, style, top, tall) => {
    let most = 1
    for (let at = 0, sum = 0; at < size; at++) { sum += counts[at]; if (sum > most) most = sum }
    context.fillStyle = style
    for (let at = 0, sum = 0, begun = 0; at < size; at++) {
      if (counts[at] === 0 && at < size - 1) continue
      if (sum > 0) {
        context.globalAlpha = 0.25 + 0.75 * (sum / most)
        context.fillRect(NAMES + begun, top, at - begun, tall)
      }
      sum += counts[at]
      begun = at
    }
    context.globalAlpha = 1
  }
  half(ran, paint.a, y + 2, 8)
  half(waited, paint.wait, y + 11, 5)
  context.fillStyle = paint.f
  for (const at of failed) context.fillRect(NAMES + at - 1, y + 1, 2.5, ROW - 3)
}

function zoom(times, middle) {
  const all = packed(data.elapsedS)
  const wide = Math.min((to - from) * times, all)
  const share = (middle - from) / (to - from)
  from = Math.max(0, Math.min(middle - wide * share, all - wide))
  to = from + wide
  redraw()
}

function seconds(event) {
  const box = canvas.getBoundingClientRect()
  return from + ((event.clientX - box.left - NAMES) / (box.width - NAMES - 10)) * (to - from)
}

function rowAt(event) {
  return rows[Math.floor((event.clientY - canvas.getBoundingClientRect().top - TOP) / ROW)]
}

function under(event) {
  const row = rowAt(event)
  if (!row?.single) return null
  const at = seconds(event)
  return row.steps.find((step) => packed(data.ready[step] ?? data.started[step]) <= at && at <= packed(data.ended[step] ?? data.elapsedS))
}

function listen() {
  let drag = null
  canvas.addEventListener('wheel', (event) => {
    if (!event.ctrlKey) return
    event.preventDefault()
    zoom(event.deltaY > 0 ? 1.25 : 0.8, seconds(event))
  }, { passive: false })
  canvas.addEventListener('pointerdown', (event) => { drag = { x: event.clientX, from, moved: false } })
  canvas.addEventListener('pointermove', (event) => {
    if (drag && event.buttons) {
      const by = ((drag.x - event.clientX) / (canvas.clientWidth - NAMES)) * (to - from)
      drag.moved ||= Math.abs(event.clientX - drag.x) > 3
      const wide = to - from
      from = Math.max(0, Math.min(drag.from + by, packed(data.elapsedS) - wide))
      to = from + wide
      return redraw()
    }
    const step = under(event)
    const told = document.getElementById('z-told')
    if (step === null || step === undefined) return
    const waited = data.held[step] ? ', waited ' + (data.started[step] - data.ready[step]).toFixed(1) + ' s (' + data.held[step] + ')' : ''
    const took = ((data.ended[step] ?? data.elapsedS) - data.started[step]).toFixed(1)
    told.textContent = data.kinds[data.kind[step]] + '/' + data.target[step] + ': began ' + clock(data.started[step]) + ', took ' + took + ' s' + waited
  })
  canvas.addEventListener('click', (event) => {
    if (drag?.moved) return
    const row = rowAt(event)
    if (row?.kind) {
      if (open.has(row.name)) open.delete(row.name)
      else open.add(row.name)
      const address = new URL(location.href)
      address.searchParams.set('open', [...open].join(','))
      history.replaceState(null, '', address)
      return layout()
    }
    const step = under(event)
    if (step === null || step === undefined) return
    const path = data.kinds[data.kind[step]].split('/').concat(data.target[step]).map(encodeURIComponent).join('/')
    location.href = '/r/' + canvas.dataset.run + '/steps/' + path
  })
  const middle = () => (from + to) / 2
  document.getElementById('z-all').addEventListener('click', () => zoom(1e9, middle()))
  document.getElementById('z-in').addEventListener('click', () => zoom(0.5, middle()))
  document.getElementById('z-out').addEventListener('click', () => zoom(2, middle()))
  document.getElementById('z-idle').addEventListener('change', (event) => {
    idle = event.target.checked ? quiet() : []
    from = 0
    to = packed(data.elapsedS)
    redraw()
  })
  new ResizeObserver(layout).observe(canvas.parentElement)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
}

// Stretches longer than a fiftieth of the run in which at most one step worked.
function quiet() {
  const edges = []
  data.started.forEach((begin, at) => { edges.push([begin, 1], [data.ended[at] ?? data.elapsedS, -1]) })
  edges.sort((a, b) => a[0] - b[0])
  const found = []
  let busy = 0
  let since = 0
  for (const [at, change] of edges) {
    if (busy <= 1 && at - since > data.elapsedS / 50) found.push([since, at])
    busy += change
    if (busy <= 1) since = at
  }
  return found
}

async function begin() {
  const answer = await fetch(canvas.dataset.columns)
  if (!answer.ok) return
  data = await answer.json()
  to = packed(data.elapsedS)
  canvas.hidden = false
  document.getElementById('tools').hidden = false
  document.getElementById('drawn').hidden = true
  listen()
  group()
}

if (canvas) begin()
