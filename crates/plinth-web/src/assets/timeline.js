// The timeline on a canvas: the critical path, stages, then every step of a small run, or kinds as strips of work and waiting, each opened to
// its steps. The names of rows stand beside it as links and buttons, so that keys lead everywhere too. What is looked at is in the address.
const canvas = document.getElementById('canvas')
const lanes = document.getElementById('lanes')
const names = document.getElementById('names')
const part = (id) => document.getElementById('z-' + id)
const ROW = 18
const TOP = 22
const END = 10
const css = getComputedStyle(document.documentElement)
const color = (name) => css.getPropertyValue('--' + name).trim()
const asked = new URLSearchParams(location.search)
const open = new Set((asked.get('open') || '').split(',').filter(Boolean))
const buttons = new Map()
let data = null
let kinds = []
let rows = []
let from = 0
let to = 1
let idle = []
let frame = 0
let kept = 0

const clock = (seconds) => {
  const whole = Math.floor(seconds)
  const two = (number) => String(number).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours ? hours + ':' + two(minutes) + ':' + two(whole % 60) : two(minutes) + ':' + two(whole % 60)
}
const ended = (step) => data.ended[step] ?? data.elapsedS
const full = (step) => data.kinds[data.kind[step]] + '/' + data.target[step]

// Time without the pieces in which nothing ran: of each a twentieth is left.
function packed(seconds) {
  let gone = 0
  for (const [begin, end] of idle) {
    if (seconds <= begin) break
    gone += (Math.min(seconds, end) - begin) * 0.95
  }
  return seconds - gone
}

// The way back.
function unpacked(place) {
  let gone = 0
  for (const [begin, end] of idle) {
    const left = (end - begin) * 0.05
    if (place <= begin - gone) break
    if (place < begin - gone + left) return begin + (place - begin + gone) * 20
    gone += (end - begin) * 0.95
  }
  return place + gone
}

function group() {
  const all = data.kinds.map((name) => ({ name, kind: true, steps: [], late: [], first: Infinity }))
  data.kind.forEach((kind, at) => {
    all[kind].steps.push(at)
    all[kind].first = Math.min(all[kind].first, data.ready[at] ?? data.started[at])
  })
  for (const [kind, begin, end] of data.late) all[kind].late.push([begin, end])
  kinds = all.filter((kind) => kind.steps.length).sort((a, b) => a.first - b.first)
  for (const kind of kinds) kind.steps.sort((a, b) => data.started[a] - data.started[b])
  layout()
}

function layout() {
  const row = (step, name) => ({ name, step, steps: [step] })
  rows = [{ name: 'critical path', path: true, steps: data.path }]
  for (const [name, ...extent] of data.stages) rows.push({ name, extent })
  if (data.single) {
    const all = kinds.flatMap((kind) => kind.steps).sort((a, b) => data.started[a] - data.started[b])
    rows.push(...all.map((step) => row(step, full(step))))
  } else {
    for (const kind of kinds) rows.push(kind, ...(open.has(kind.name) ? kind.steps.map((step) => row(step, data.target[step])) : []))
  }
  names.replaceChildren(...rows.map(named))
  size()
}

function named(row) {
  if (buttons.has(row.name)) return buttons.get(row.name)
  const item = document.createElement('li')
  if (row.kind) {
    const button = document.createElement('button')
    button.textContent = row.name
    button.setAttribute('aria-expanded', String(open.has(row.name)))
    button.addEventListener('click', () => turn(row.name))
    item.append(button)
    buttons.set(row.name, item)
  } else if (row.steps) {
    const link = document.createElement('a')
    link.href = row.path ? '#path' : address(row.step)
    link.textContent = row.name
    if (!row.path) {
      link.title = about(row.step)
      link.addEventListener('focus', () => { part('told').textContent = about(row.step) })
      if (!data.single) item.className = 'in'
    }
    item.append(link)
  } else {
    item.textContent = row.name
  }
  return item
}

function turn(name) {
  if (!open.delete(name)) open.add(name)
  const had = document.activeElement
  buttons.get(name).firstChild.setAttribute('aria-expanded', String(open.has(name)))
  layout()
  if (names.contains(had)) had.focus({ preventScroll: true })
  write()
}

// The same moment as the page is of.
function address(step) {
  const path = full(step).split('/').map(encodeURIComponent).join('/')
  return '/r/' + canvas.dataset.run + '/steps/' + path + (canvas.dataset.at ? '?at=' + canvas.dataset.at : '')
}

function about(step) {
  const waited = data.held[step] ? ', waited ' + (data.started[step] - data.ready[step]).toFixed(1) + ' s (' + data.held[step] + ')' : ''
  return full(step) + ': began ' + clock(data.started[step]) + ', took ' + (ended(step) - data.started[step]).toFixed(1) + ' s' + waited
}

// No more of it than the window shows is drawn, however many rows there are.
function size() {
  const ratio = window.devicePixelRatio || 1
  const head = document.querySelector('header').offsetHeight
  const tall = Math.min(TOP + rows.length * ROW + 8, window.innerHeight - head)
  canvas.style.setProperty('top', head + 'px')
  canvas.style.setProperty('height', tall + 'px')
  canvas.height = tall * ratio
  canvas.width = canvas.clientWidth * ratio
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
  const [wide, tall] = [canvas.width / ratio, canvas.height / ratio]
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, wide, tall)
  context.font = '12px system-ui, sans-serif'
  const plot = wide - END
  const x = (seconds) => ((packed(seconds) - from) / (to - from)) * plot
  const paint = { wait: hatch(context) }
  for (const name of 'fxalpncus') paint[name] = color(name)
  axis(context, x, wide, tall)
  context.save()
  context.beginPath()
  context.rect(0, TOP, wide, tall)
  context.clip()
  const gone = canvas.getBoundingClientRect().top - names.getBoundingClientRect().top
  const first = Math.max(Math.floor(gone / ROW), 0)
  rows.slice(first, first + Math.ceil(tall / ROW) + 1).forEach((row, at) => {
    const y = TOP + (first + at) * ROW - gone
    if (row.kind) return strip(context, row, y, x, plot, paint)
    if (row.steps) return bars(context, row, y, x, paint)
    context.fillStyle = paint.u
    context.fillRect(x(row.extent[0]), y + 5, Math.max(x(row.extent[1]) - x(row.extent[0]), 1), 8)
  })
  context.restore()
  part('window').textContent = isWhole() ? '' : clock(unpacked(from)) + ' to ' + clock(unpacked(to))
}

function axis(context, x, wide, tall) {
  const shown = to - from
  const step = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600].find((one) => shown / one <= 10) || 86400
  context.fillStyle = color('dim')
  context.strokeStyle = color('line')
  context.beginPath()
  for (let at = 0; at <= data.elapsedS; at += step) {
    const place = x(at)
    if (place < 0 || place > wide) continue
    context.moveTo(place, TOP - 4)
    context.lineTo(place, tall)
    context.fillText(step < 1 ? at.toFixed(1) + ' s' : clock(at), place + 3, 12)
  }
  context.stroke()
}

function bars(context, row, y, x, paint) {
  for (const at of row.steps) {
    const begin = data.started[at]
    const ready = data.ready[at]
    if (ready !== null && begin - ready >= 0.05) {
      context.fillStyle = paint.wait
      context.fillRect(x(ready), y + 3, x(begin) - x(ready), ROW - 6)
    }
    context.fillStyle = paint[data.state[at]]
    context.fillRect(x(begin), y + 2, Math.max(x(ended(at)) - x(begin), 1), ROW - 5)
    const rehearsed = data.rehearsed[at]
    if (rehearsed) {
      context.fillStyle = paint.x
      context.fillRect(x(rehearsed[0]), y + ROW - 3, Math.max(x(rehearsed[1]) - x(rehearsed[0]), 1), 2)
    }
  }
}

// How many ran and waited, and ran in the rehearsal, at each pixel: one pass over the steps, one over the pixels.
function strip(context, row, y, x, plot, paint) {
  const size = Math.ceil(plot) + 2
  const [ran, waited, ghost] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)]
  const place = (seconds) => Math.min(Math.max(Math.round(x(seconds)), 0), size - 2)
  const add = (counts, begin, end) => {
    counts[place(begin)]++
    counts[Math.max(place(end), place(begin) + 1)]--
  }
  const failed = []
  for (const at of row.steps) {
    const begin = data.started[at]
    add(ran, begin, ended(at))
    const ready = data.ready[at]
    if (ready !== null && begin - ready >= 0.05) { waited[place(ready)]++; waited[place(begin)]-- }
    if (data.rehearsed[at]) add(ghost, ...data.rehearsed[at])
    if (data.state[at] === 'f') failed.push(place(ended(at)))
  }
  for (const extent of row.late) add(ghost, ...extent)
  const half = (counts, style, top, tall) => {
    let most = 1
    for (let at = 0, sum = 0; at < size; at++) { sum += counts[at]; if (sum > most) most = sum }
    context.fillStyle = style
    for (let at = 0, sum = 0, begun = 0; at < size; at++) {
      if (counts[at] === 0 && at < size - 1) continue
      if (sum > 0) {
        context.globalAlpha = 0.25 + 0.75 * (sum / most)
        context.fillRect(begun, top, at - begun, tall)
      }
      sum += counts[at]
      begun = at
    }
    context.globalAlpha = 1
  }
  half(ran, paint.a, y + 2, 8)
  half(waited, paint.wait, y + 10, 5)
  half(ghost, paint.x, y + ROW - 3, 2)
  context.fillStyle = paint.f
  for (const at of failed) context.fillRect(at - 1, y + 1, 2.5, ROW - 5)
}

const all = () => packed(data.elapsedS)
const isWhole = () => from <= 0 && to >= all()

// Shows so much time from there, as far as there is some.
function show(begin, wide) {
  const most = Math.min(wide, all())
  from = Math.max(0, Math.min(begin, all() - most))
  to = from + most
  redraw()
  keep()
}

function zoom(times, middle) {
  const wide = Math.min((to - from) * times, all())
  show(middle - wide * ((middle - from) / (to - from)), wide)
}

// The address says what is looked at. Not at each move: browsers refuse hundreds of changes a minute. But before a link is followed.
function keep() {
  clearTimeout(kept)
  kept = setTimeout(write, 150)
}

function write() {
  clearTimeout(kept)
  kept = 0
  const address = new URL(location.href)
  const put = (key, value) => value ? address.searchParams.set(key, value) : address.searchParams.delete(key)
  put('open', [...open].join(','))
  put('idle', idle.length ? 'out' : '')
  put('from', isWhole() ? '' : unpacked(from).toFixed(2))
  put('to', isWhole() ? '' : unpacked(to).toFixed(2))
  history.replaceState(null, '', address)
}

function seconds(event) {
  const box = canvas.getBoundingClientRect()
  return from + ((event.clientX - box.left) / (box.width - END)) * (to - from)
}

function rowAt(event) {
  return rows[Math.floor((event.clientY - names.getBoundingClientRect().top - TOP) / ROW)]
}

function under(event) {
  const at = seconds(event)
  const row = rowAt(event)
  const steps = row?.kind ? [] : row?.steps || []
  return steps.find((step) => packed(data.ready[step] ?? data.started[step]) <= at && at <= packed(ended(step)))
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
      drag.moved ||= Math.abs(event.clientX - drag.x) > 3
      return show(drag.from + ((drag.x - event.clientX) / canvas.clientWidth) * (to - from), to - from)
    }
    const step = under(event)
    if (step !== undefined) part('told').textContent = about(step)
  })
  canvas.addEventListener('click', (event) => {
    if (drag?.moved) return
    const row = rowAt(event)
    if (row?.kind) return turn(row.name)
    const step = under(event)
    if (step !== undefined) location.href = address(step)
  })
  const middle = () => (from + to) / 2
  const moves = {
    all: () => show(0, all()), in: () => zoom(0.5, middle()), out: () => zoom(2, middle()),
    back: () => show(from - (to - from) / 2, to - from), on: () => show(from + (to - from) / 2, to - from),
  }
  for (const [name, move] of Object.entries(moves)) part(name).addEventListener('click', move)
  part('idle').addEventListener('change', (event) => {
    idle = event.target.checked ? quiet() : []
    show(0, all())
  })
  document.addEventListener('click', () => { if (kept) write() }, true)
  window.addEventListener('scroll', redraw, { passive: true })
  window.addEventListener('resize', size)
  new ResizeObserver(size).observe(lanes)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
}

// Stretches longer than a fiftieth of the run in which at most one step worked.
function quiet() {
  const edges = []
  data.started.forEach((begin, at) => { edges.push([begin, 1], [ended(at), -1]) })
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

// What the address says is looked at.
function asWas() {
  part('idle').checked = asked.get('idle') === 'out'
  idle = part('idle').checked ? quiet() : []
  const [begin, end] = ['from', 'to'].map((key) => packed(Number(asked.get(key) ?? NaN)))
  const fits = begin >= 0 && begin < end && end <= all() + 0.01
  from = fits ? begin : 0
  to = fits ? end : all()
}

async function begin() {
  const answer = await fetch(canvas.dataset.columns)
  if (!answer.ok) return
  data = await answer.json()
  asWas()
  lanes.hidden = false
  document.getElementById('tools').hidden = false
  document.getElementById('drawn').hidden = true
  listen()
  group()
}

if (canvas) begin()
