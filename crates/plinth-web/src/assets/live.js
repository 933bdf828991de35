// Live: one stream of patches for all tabs of a browser. Values, never differences; text only as text.
import './keys.js'
const body = document.body
const run = body.dataset.run
const byId = (id) => document.getElementById(id)
const on = Boolean(run && (body.dataset.live || body.dataset.plain))
const plain = Boolean(body.dataset.plain)
const LETTERS = { p: '·', l: 'L', a: 'A', c: 'C', u: '=', s: 'S', f: 'F', n: 'N', x: 'X' }
const WORDS = { p: 'waiting', l: 'looking', a: 'acting', c: 'changed', u: 'unchanged', s: 'skipped', f: 'failed', n: 'not run', x: 'interrupted' }
// States in the order in which lists count them.
const ORDER = [...'fxalnpcus']
// Texts that are to be seen only where they say something.
const MAYBE = ['t-life', 't-retries', 's-took', 's-attempts', 's-what', 's-last']
// Patches that wait for a page that is held: as many as the server keeps.
const KEPT = 240
const FAILED = Number(byId('t-failed')?.textContent || 0)
// The step that this page is about, if it is about one.
const own = document.querySelector('.title[data-s]')
// Where each step stands on this page: rows of lists, names with a state beside them.
const places = new Map()
for (const place of document.querySelectorAll('[data-s]')) places.set(place.dataset.s, [...(places.get(place.dataset.s) || []), place])
let seq = Number(body.dataset.seq || 0)
let waiting = []
let held = false
let source = null
let frame = 0
let spoken = 0
// The page is to be read again as soon as it is not held any more.
let wanted = false
let release = () => {}

function text(id, value) {
  const element = byId(id)
  if (element && element.textContent !== value) element.textContent = value
  if (!element || !MAYBE.includes(id)) return
  element.hidden = !value
  if (element.tagName === 'DD') element.previousElementSibling.hidden = !value
}

function reload() {
  if (held) {
    wanted = true
    return
  }
  // Not again and again: what comes faster than a page can be read is waited for.
  const last = Number(sessionStorage.getItem('plinth-reload') || 0)
  const wait = Math.max(0, 3000 - (Date.now() - last))
  setTimeout(() => {
    if (held) return reload()
    sessionStorage.setItem('plinth-reload', String(Date.now()))
    location.reload()
  }, wait)
}

function badge(element, [kind, letter, word]) {
  element.className = 'st ' + kind
  const sign = document.createElement('i')
  sign.setAttribute('aria-hidden', 'true')
  sign.textContent = letter
  element.replaceChildren(sign, ' ' + word)
}

function bar(row, shares) {
  const svg = row.querySelector('svg.bar')
  if (!svg) return
  const all = shares.reduce((sum, share) => sum + share[1], 0) || 1
  let at = 0
  svg.replaceChildren(...shares.map(([kind, count]) => {
    const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
    const wide = (count * 100) / all
    rect.setAttribute('class', kind)
    rect.setAttribute('x', String(at))
    rect.setAttribute('y', '0')
    rect.setAttribute('width', String(wide))
    rect.setAttribute('height', '8')
    at += wide
    return rect
  }))
}

function kinds(rows) {
  for (const [at, words, shares, usually, longest] of rows) {
    const row = byId('k' + at)
    if (!row) continue
    row.querySelector('.counts').textContent = words
    row.cells[3].textContent = usually
    row.cells[4].textContent = longest
    row.querySelector('svg.bar')?.setAttribute('aria-label', words)
    bar(row, shares)
  }
}

function nodes(rows) {
  for (const [at, letters, words, kind, work] of rows) {
    const about = byId('w' + at)
    if (about) {
      about.firstElementChild.textContent = words
      about.lastElementChild.textContent = work
    }
    const row = byId('n' + at)
    if (!row) continue
    row.dataset.st = kind
    const wide = row.closest('.wide') !== null
    let cell = row.firstElementChild.nextElementSibling
    for (const kind of letters) {
      if (kind !== ' ' && cell.className !== kind) {
        cell.className = kind
        cell.textContent = wide ? WORDS[kind] : LETTERS[kind]
      }
      cell = cell.nextElementSibling
    }
    row.lastElementChild.textContent = words
  }
  if (rows.length) count()
}

// How many nodes stand how.
function count() {
  const all = byId('strip')
  if (!all) return
  const counts = {}
  for (const row of document.querySelectorAll('.rows li')) counts[row.dataset.st] = (counts[row.dataset.st] || 0) + 1
  all.replaceChildren(...ORDER.filter((kind) => counts[kind]).flatMap((kind) => {
    const cell = document.createElement('span')
    const state = document.createElement('span')
    cell.className = 'cnt'
    badge(state, [kind, LETTERS[kind], WORDS[kind]])
    cell.append(counts[kind] + ' ', state)
    return [cell, ' ']
  }))
}

function steps(rows) {
  for (const [step, kind, letter, word, began, waited, held, took, what, attempts, last] of rows) {
    for (const place of places.get(step) || []) {
      const state = place.querySelector('.st')
      // Of a step that begins, acts or ends its page has other parts.
      if (place === own && !state.classList.contains(kind)) reload()
      badge(state, [kind, letter, word])
      if (!place.cells) continue
      const [, , start, wait, time, told] = place.cells
      start.textContent = began
      wait.textContent = waited
      wait.title = held
      time.textContent = took
      told.textContent = what
    }
    if (step !== own?.dataset.s) continue
    text('s-took', took)
    text('s-attempts', attempts)
    text('s-what', what)
    text('s-last', last)
  }
}

// How long what is at work has been: nothing else may have happened to it.
function times(rows) {
  for (const [step, took] of rows) {
    for (const place of places.get(step) || []) if (place.cells) place.cells[4].textContent = took
    if (step === own?.dataset.s) text('s-took', took)
  }
}

function running(rows) {
  const list = byId('running')
  // Nothing under the pointer or the focus moves.
  if (!list || list.matches(':hover, :focus-within')) return
  list.replaceChildren(...rows.map(([kind, letter, word, step, time, doing]) => {
    const row = document.createElement('li')
    const state = document.createElement('span')
    badge(state, [kind, letter, word])
    const link = document.createElement('a')
    link.className = 'id'
    link.href = '/r/' + encodeURIComponent(run) + '/steps/' + step.split('/').map(encodeURIComponent).join('/')
    link.textContent = step
    const took = document.createElement('b')
    took.textContent = time
    const what = document.createElement('span')
    what.className = 'dim'
    what.textContent = doing
    row.append(state, ' ', link, ' ', took, ' ', what)
    return row
  }))
}

function news(failed) {
  text('t-failed', String(failed))
  const tab = byId('t-failed')
  if (tab) tab.hidden = !failed
  const pill = byId('news')
  if (!pill || failed <= FAILED) return
  pill.hidden = false
  const more = failed - FAILED
  pill.firstElementChild.textContent = more === 1 ? '1 new failure' : more + ' new failures'
}

function say(sentence) {
  // A screen reader is told at most every ten seconds.
  if (Date.now() - spoken < 10000) return
  spoken = Date.now()
  text('say', sentence)
}

// How the run stands now; another state than the page tells of: the page is old.
function standing(word) {
  if (word === body.dataset.state) return true
  reload()
  return false
}

function apply(patch) {
  if (patch.reload && plain) return standing(patch.state[1])
  const other = patch.state[1] !== body.dataset.state
  // What is missing is told on top of a page, wherever it is.
  const missing = !plain && !patch.reload && patch.gaps !== Number(body.dataset.gaps)
  if (patch.reload) {
    // The death of the runner has the number of the last event: a page that tells of it already is not read again and again.
    if (other || patch.seq > seq) reload()
    return
  }
  if (!plain && patch.from > seq) return reload()
  seq = Math.max(seq, patch.seq)
  body.dataset.seq = String(seq)
  for (const [id, value] of Object.entries(patch.text)) text(id, value)
  const state = byId('t-state')
  if (state) badge(state, [patch.state[0], LETTERS[patch.state[0]], patch.state[1]])
  kinds(patch.kinds)
  nodes(patch.nodes)
  steps(patch.steps)
  times(patch.running.map(([, , , step, time]) => [step, time]).concat(patch.times))
  running(patch.running)
  news(patch.failed)
  say(patch.text['t-done'] + ', ' + patch.text['t-sentence'])
  // What follows, if anything does, is of the state that this one has told.
  body.dataset.state = patch.state[1]
  // Of another state a page has other parts: when the run ends, and when a runner that was silent is heard of again.
  if (patch.ended || other || missing) setTimeout(reload, 500)
}

function draw() {
  frame = 0
  const all = waiting
  waiting = []
  for (const patch of all) {
    const start = performance.now()
    apply(patch)
    performance.measure('plinth-patch', { start, end: performance.now(), detail: { seq: patch.seq, at: patch.at } })
  }
}

function take(patch) {
  // A page that is held for long is read again when it goes on: what waits for it does not grow without end.
  if (held && waiting.length >= KEPT) {
    wanted = true
    waiting = []
  }
  waiting.push(patch)
  if (held) return hold()
  if (!frame) frame = requestAnimationFrame(draw)
}

function hold() {
  const button = byId('hold')
  const behind = waiting.length ? waiting[waiting.length - 1].seq - seq : 0
  const at = /\d\d:\d\d:\d\d/.exec(byId('t-asof')?.textContent)?.[0] || 'event ' + seq
  button.textContent = held ? 'held at ' + at + ', ' + behind + (behind === 1 ? ' event' : ' events') + ' behind: go on' : 'hold'
  button.setAttribute('aria-pressed', String(held))
  if (held) return
  if (wanted) return reload()
  if (waiting.length && !frame) frame = requestAnimationFrame(draw)
}

function close() {
  source?.close()
  source = null
}

function connect(tell) {
  close()
  const from = plain ? '' : '?from=' + (seq + 1)
  source = new EventSource('/r/' + encodeURIComponent(run) + '/live' + from)
  const both = (kind) => (event) => {
    const message = { kind, data: JSON.parse(event.data) }
    tell(message)
    hear(message)
  }
  for (const kind of ['hello', 'patch', 'reset', 'end']) source.addEventListener(kind, both(kind))
  // A server that was restarted with another token: the browser does not try again by itself.
  source.onerror = () => {
    if (source?.readyState === EventSource.CLOSED) text('t-asof', 'not connected any more: open the link of the server again')
  }
}

function hear({ kind, data }) {
  // A server that was started again may have nothing to send for this page, although the run has moved on or has died.
  if (kind === 'hello') standing(data.state)
  if (kind === 'patch') take(data)
  if (kind === 'reset' && !plain) reload()
  if (kind === 'end') over()
}

// Nothing comes any more: neither a connection nor the lock is kept.
function over() {
  close()
  release()
  // Patches that wait for a frame come first.
  setTimeout(() => { if (plain || body.dataset.state === 'running') reload() }, 500)
}

// One stream for all tabs: HTTP/1.1 has six connections for a server. Whoever holds the lock has it, the others are told.
function follow() {
  if (!navigator.locks || !window.BroadcastChannel) return connect(() => {})
  const channel = new BroadcastChannel('plinth ' + run)
  channel.onmessage = (event) => { if (!document.hidden) hear(event.data) }
  let end = null
  let wish = null
  let done = false
  const leave = () => {
    wish?.abort()
    end?.()
    end = null
  }
  release = () => {
    done = true
    leave()
  }
  const ask = () => {
    wish = new AbortController()
    navigator.locks.request('plinth ' + run, { signal: wish.signal }, () => new Promise((given) => {
      end = given
      connect((message) => channel.postMessage(message))
    })).catch(() => {})
  }
  document.addEventListener('visibilitychange', () => {
    if (done) return
    if (!document.hidden) return ask()
    close()
    leave()
  })
  if (!document.hidden) ask()
}

if (on) {
  const button = byId('hold')
  if (button) {
    button.hidden = false
    const turn = () => { held = !held; hold() }
    button.addEventListener('click', turn)
    document.addEventListener('plinth-hold', turn)
  }
  follow()
}
