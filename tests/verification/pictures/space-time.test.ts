import { describe, expect, it } from 'vitest';
import { friendlyMove } from '../../../playground/stage/adversary.js';
import { replay, USUAL_CLUSTER } from '../../../playground/stage/run.js';
import { spaceTime } from '../../../verification/pictures/space-time.js';
import type { StageView } from '../../../verification/pictures/view.js';

const CHOICES = ['p1 cas k 0 "red"', 'd1', 'x2', 'd3', 'd4', 'cut a2', 'd5', 'p2 get k', 'wait', 'control add-accept all a1 2', 'kill p2'];
const view = async (choices = CHOICES): Promise<StageView> => (await replay({ cluster: USUAL_CLUSTER, choices })).view();
const groups = (svg: string): string[] => svg.split('\n').filter((line) => line.startsWith('<g'));

describe('the space-time diagram', () => {
  it('has a lane for each client and node, and each message once: with its head, with a cross, or not there yet', async () => {
    const of = await view();
    const svg = spaceTime(of, '#moves=');
    for (const lane of ['client 1', 'client 2', 'p1', 'p2', 'control', 'a1', 'a2', 'a3'])
      expect(svg).toContain(`class="name">${lane}</text>`);
    const messages = groups(svg);
    expect(messages).toHaveLength(of.flights.length);
    const kinds = of.flights.map(({ isLost, endedAt }) => (isLost === true ? ' lost' : endedAt === undefined ? ' waiting' : ''));
    expect(messages.map((line) => /class="message(?: one| two)?( lost| waiting)?"/.exec(line)?.[1] ?? '')).toEqual(kinds);
    expect(new Set(kinds)).toEqual(new Set(['', ' lost', ' waiting']));
    expect(messages[1]).toContain('M-5 -5 L5 5');
    expect(messages[0]).toContain('>prepare 1.1.1.1</text>');
  });

  it('has a bar for each operation, from its beginning to its end, and says what else was done', async () => {
    const choices = ['p1 cas k 0 "red"'];
    const stage = await replay({ cluster: USUAL_CLUSTER, choices });
    for (let move = friendlyMove(stage.view()); move; move = friendlyMove(stage.view())) await stage.apply(move);
    const [bar] = stage.view().bars;
    expect(bar).toMatchObject({ beganAt: 1, answer: 'written, version 1' });
    const height = ((bar?.endedAt ?? 0) - 1) * 24;
    expect(spaceTime(stage.view(), '')).toContain(`height="${height}" rx="3" class="bar">`);
    const svg = spaceTime(await view(), '');
    for (const said of ['300 ms pass', '>cut<', '>kill<', '>add-accept all a1 2<', 'class="bar open"']) expect(svg).toContain(said);
  });

  it('holds texts as texts, and nothing that is fetched or run', async () => {
    const of = await view();
    const evil = '</title><script>alert("1")</script>&';
    const svg = spaceTime({ ...of, bars: of.bars.map((bar) => ({ ...bar, text: evil, answer: evil })) }, evil);
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&#60;/title&#62;&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;');
    expect(svg).not.toMatch(/href|url\(|@import|\bon\w+=/);
  });
});
