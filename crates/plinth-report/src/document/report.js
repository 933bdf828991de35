// Reads the events that this file holds and lists them. Without it nothing on the page is missing.
(() => {
  'use strict';
  const LINES = 500;
  const block = document.getElementById('events');
  const place = document.getElementById('read');
  if (!block || !place || typeof DecompressionStream !== 'function') return;

  const element = (name, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  async function unpacked() {
    const packed = Uint8Array.from(atob(block.textContent.replace(/\s+/g, '')), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Response(stream).text();
  }

  // What a terminal would take for an order, or what turns the direction of writing, is written out.
  const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]/g;
  const visible = (text) => text.replace(hidden, (c) => '\\u{' + c.codePointAt(0).toString(16) + '}');

  function row(event, began) {
    const { seq, at, after, event: kind, step, ...rest } = event;
    const cells = [seq, ((Date.parse(at) - began) / 1000).toFixed(1) + ' s', kind, step ?? '', visible(JSON.stringify(rest)).slice(0, 400)];
    const made = element('tr');
    for (const cell of cells) made.append(element('td', visible(String(cell))));
    return made;
  }

  function table(events, count) {
    const made = element('table');
    made.append(element('caption', count));
    const head = made.createTHead().insertRow();
    for (const name of ['Event', 'After', 'What', 'Step', 'More']) {
      const cell = element('th', name);
      cell.scope = 'col';
      head.append(cell);
    }
    const began = Date.parse(events[0]?.at);
    return { made, body: made.createTBody(), began };
  }

  function shown(lines, events, word) {
    const found = [];
    let count = 0;
    lines.forEach((line, at) => {
      if (word && !line.toLowerCase().includes(word)) return;
      count += 1;
      if (found.length < LINES) found.push(events[at]);
    });
    const said = count > found.length ? `The first ${found.length} of ${count} events` : `${count} events`;
    const { made, body, began } = table(events, said);
    for (const event of found) body.append(row(event, began));
    return [made, said];
  }

  const button = element('button', 'List them here');
  button.type = 'button';
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const lines = (await unpacked()).split('\n').filter(Boolean);
      const events = lines.map((line) => JSON.parse(line));
      performance.mark('plinth-events');
      const label = element('label', 'Only those with ');
      const box = element('input');
      box.type = 'search';
      label.append(box);
      const status = element('p');
      status.setAttribute('role', 'status');
      const list = element('div');
      const show = () => {
        const [made, said] = shown(lines, events, box.value.toLowerCase());
        status.textContent = said;
        list.replaceChildren(made);
      };
      box.addEventListener('input', show);
      place.replaceChildren(label, status, list);
      show();
      box.focus();
    } catch (error) {
      place.append(element('p', 'They cannot be read: ' + error.message));
    }
  });
  place.append(button);
})();
