// Which data a piece of the page's code can reach, from what the linker says of it: build.rs has it
// leave its relocations in the module that Cargo built. Each place in the code that holds an address
// is known by them, with the constant that it means, and so is each address within the data.
import { readFileSync } from "node:fs";

/** Kinds of relocations that hold an address in memory (WebAssembly's tool conventions, Linking.md). */
const addresses = { LEB: 3, SLEB: 4, I32: 5 };
/** Kinds that have an addend: those, and offsets in functions and sections. */
const withAddend = new Set([3, 4, 5, 8, 9, 11, 14, 15, 16, 17, 21, 22, 23, 25]);

/**
 * The constants in the module's memory, `{ start, end, uses }` in order of their address, where
 * `uses` are the addresses that they hold; and `meant`, which has for each number that stands in the
 * code for an address the starts of the constants which it means.
 */
export function readDataUse(file) {
  const module = new Bytes(readFileSync(file));
  module.at = 8;
  const sections = new Map();
  const order = [];
  while (module.at < module.length) {
    const id = module.byte();
    const size = module.leb();
    const start = module.at;
    const name = id === 0 ? module.text() : id;
    sections.set(name, { start, body: module.at, end: start + size });
    order.push({ start });
    module.at = start + size;
  }
  const section = (name) => module.part(sections.get(name).body, sections.get(name).end);
  for (const needed of ["linking", "reloc.CODE", "reloc.DATA"]) {
    if (!sections.has(needed)) throw new Error(`${file} has no section ${needed}: does build.rs ask the linker for it?`);
  }
  const segments = readSegments(section(11));
  const symbols = readSymbols(section("linking"), segments);
  const relocations = (name) => readRelocations(section(name), order, symbols);

  const constants = new Map();
  for (const { start, end } of symbols.filter(Boolean)) {
    const known = constants.get(start);
    // Two names of one place: the longer one has both.
    if (!known || known.end < end) constants.set(start, { start, end, uses: [] });
  }
  const sorted = [...constants.values()].sort((a, b) => a.start - b.start);
  const longest = Math.max(...sorted.map(({ start, end }) => end - start));
  const meant = new Map();
  for (const { place, kind, symbol, value } of relocations("reloc.CODE")) {
    if (module.read(place, kind) !== value) throw new Error(`${file}: the code holds another address than its relocation`);
    if (!meant.has(value)) meant.set(value, new Set());
    meant.get(value).add(symbol.start);
  }
  for (const { place, kind, symbol, value } of relocations("reloc.DATA")) {
    if (module.read(place, kind) !== value) throw new Error(`${file}: the data holds another address than its relocation`);
    const segment = segments.find(({ from, to }) => from <= place && place < to);
    const address = segment.address + place - segment.from;
    for (const holder of constantsAt(sorted, address, longest)) holder.uses.push(symbol.start);
  }
  return { constants: sorted, meant };
}

/** The constants that an address lies in: the linker may have one text be the end of another. */
function constantsAt(constants, address, longest) {
  let [low, high] = [0, constants.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (constants[middle].start <= address) low = middle + 1;
    else high = middle;
  }
  const found = [];
  for (let at = low - 1; at >= 0 && constants[at].start > address - longest; at--) {
    if (address < constants[at].end) found.push(constants[at]);
  }
  return found;
}

/** The segments of memory: their address, and where in the file their bytes are. */
function readSegments(data) {
  return Array.from({ length: data.leb() }, () => {
    data.expect(0, "an active segment");
    data.expect(0x41, "i32.const");
    const address = data.sleb();
    data.expect(0x0b, "the end of the segment's address");
    const size = data.leb();
    const from = data.at;
    data.at += size;
    return { address, from, to: from + size };
  });
}

/** Where the symbols of data are; nothing for those of other kinds, and for data of the linker's own. */
function readSymbols(linking, segments) {
  linking.expect(2, "version 2 of the section linking");
  while (linking.at < linking.length) {
    const kind = linking.byte();
    const size = linking.leb();
    if (kind !== 8) {
      linking.at += size;
      continue;
    }
    return Array.from({ length: linking.leb() }, () => {
      const kind = linking.byte();
      const flags = linking.leb();
      const isDefined = (flags & 0x10) === 0;
      if (kind === 1) {
        linking.text();
        if (!isDefined) return undefined;
        const [segment, offset, length] = [linking.leb(), linking.leb(), linking.leb()];
        const start = segments[segment]?.address + offset;
        return Number.isNaN(start) ? undefined : { start, end: start + length };
      }
      linking.leb();
      if (kind !== 3 && (isDefined || (flags & 0x40) !== 0)) linking.text();
      return undefined;
    });
  }
  throw new Error("no table of symbols");
}

/** The relocations that stand for the address of a constant. */
function readRelocations(section, order, symbols) {
  const { start } = order[section.leb()];
  const all = Array.from({ length: section.leb() }, () => {
    const kind = section.byte();
    const place = start + section.leb();
    const symbol = section.leb();
    const addend = withAddend.has(kind) ? section.sleb() : 0;
    return { kind, place, symbol: symbols[symbol], addend };
  });
  return all
    .filter(({ kind, symbol }) => symbol && Object.values(addresses).includes(kind))
    .map((one) => ({ ...one, value: one.symbol.start + one.addend }));
}

/** Bytes that are read one after the other. */
class Bytes {
  constructor(buffer, at = 0, length = buffer.length) {
    this.buffer = buffer;
    this.at = at;
    this.length = length;
  }
  part(from, to) {
    return new Bytes(this.buffer, from, to);
  }
  byte() {
    return this.buffer[this.at++];
  }
  leb() {
    return this.number().value;
  }
  sleb() {
    const { value, shift, last } = this.number();
    return last & 0x40 ? value - 2 ** shift : value;
  }
  /** A number of seven bits a byte, how many bits it has, and its last byte. */
  number() {
    let [value, shift, last] = [0, 0, 0];
    do {
      last = this.byte();
      value += (last & 0x7f) * 2 ** shift;
      shift += 7;
    } while (last >= 0x80);
    return { value, shift, last };
  }
  text() {
    const size = this.leb();
    this.at += size;
    return this.buffer.toString("utf8", this.at - size, this.at);
  }
  expect(byte, what) {
    if (this.byte() !== byte) throw new Error(`expected ${what} at byte ${this.at - 1}`);
  }
  /** What a relocation of this kind has at a place. */
  read(place, kind) {
    const here = this.part(place, this.length);
    if (kind === addresses.I32) return this.buffer.readUInt32LE(place);
    return kind === addresses.LEB ? here.leb() : here.sleb();
  }
}
