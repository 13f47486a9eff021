import { describe, expect, it } from 'vitest';
import { recordedOf, Recording } from '../../../verification/pictures/recording.js';
import { spaceTime } from '../../../verification/pictures/space-time.js';
import { addressParts, addressText, type Simulated, simulatedIn, simulatedParts } from '../../../verification/simulation/address.js';
import { run } from '../../../verification/simulation/run.js';
import { settingsFor } from '../../../verification/simulation/settings.js';
import { linkFor, storyOf } from '../../../verification/simulation/story.js';

const SIMULATED: Simulated = { scenario: 'stepwise resize', stopAfter: 8 };
const report = await run(settingsFor(2, SIMULATED), { trace: true });
const recorded = recordedOf(report, SIMULATED);
const recordingAt = async (at: number): Promise<Recording> => {
  const recording = new Recording(recorded);
  await recording.go(at);
  return recording;
};

describe('a recorded run', () => {
  it('has the lines that the terminal prints of its key, and ends as the run did', async () => {
    const { choices } = await recordingAt(0);
    const printed = storyOf(report, { key: recorded.key, withMessages: true });
    const words = (line: string): string => line.replace(' ms', '').replace('→', '->').split(/\s+/).filter(Boolean).join(' ');
    expect(choices.length).toBeGreaterThan(100);
    expect(choices.map(words)).toEqual(printed.map(words));
    const end = await recordingAt(choices.length);
    expect(end.operations).toEqual(report.history.of(recorded.key));
    expect([end.view().verdict.isSound, end.view().recorded?.violated]).toEqual([true, []]);
  });

  it('is the same at each moment whether it was gone to step by step or at once', async () => {
    const stepped = await recordingAt(0);
    for (let at = 0; at <= stepped.choices.length; at += 1) {
      if (at % 20 === 0) expect(stepped.view(), `line ${at}`).toEqual((await recordingAt(at)).view());
      await stepped.apply();
    }
  });

  it('shows what acceptors hold when a message has arrived, and the message before that', async () => {
    const accepted = recorded.flights.find(({ label, isLost, text }) => label === 'accept' && !isLost && text.includes('version 1'));
    const { number = 0, to = '', sentAt = 0, text = '' } = accepted ?? {};
    expect(sentAt).toBeLessThan(number);
    const [before, after] = [(await recordingAt(number - 1)).view(), (await recordingAt(number)).view()];
    const held = ({ acceptors }: typeof after): string | undefined => acceptors.find(({ name }) => name === to)?.ballot;
    expect(text).toContain(` ${String(held(after))} `);
    expect(held(before)).not.toBe(held(after));
    expect([before, after].map(({ parcels }) => parcels.some((parcel) => parcel.number === number))).toEqual([true, false]);
  });

  it('is drawn as the stage is: a lane for each client and node, and what happened to nodes beside it', async () => {
    const svg = spaceTime((await recordingAt(Infinity)).view(), linkFor(report.settings, SIMULATED));
    for (const lane of ['client-1', 'p1', 'p2', 'control', 'a1', 'a2', 'a3']) expect(svg).toContain(`class="name">${lane}</text>`);
    expect(svg).toContain('>all is mended</text>');
    expect(svg).toContain('operator-1: resize acceptor-');
    expect(svg).toContain('<desc>/playground/#simulate=stepwise_resize&#38;seed=2&#38;stop-after=8</desc>');
  });

  it('is told by its address alone', () => {
    const whole: Simulated = { scenario: 'any commands', operations: 90, stopAfter: 4, without: ['late', 'disk-losses'], key: 'k2' };
    const text = addressText(simulatedParts(4_294_967_295, whole));
    expect(text).toBe('simulate=any_commands&seed=4294967295&operations=90&stop-after=4&without=late.disk-losses&key=k2');
    expect(simulatedIn(addressParts(text))).toEqual(whole);
    expect(simulatedIn(addressParts('moves='))).toBeUndefined();
    for (const [wrong, why] of [
      ['simulate=peace', 'there is no scenario peace'],
      ['simulate=majority&without=rain', 'there is no fault rain'],
      ['simulate=majority&stop-after=-1', 'not a number: -1'],
      ['simulate=majority&operations=4294967296', 'not a number: 4294967296'],
      ['simulate=%', 'not a part of an address: %'],
    ] as const)
      expect(() => simulatedIn(addressParts(wrong)), wrong).toThrow(new TypeError(why));
  });
});
