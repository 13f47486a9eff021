import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { endForLostOutput } from '../../src/node/lost-output.js';
import type { ScenarioName } from '../simulation/scenario-names.js';
import { ProgramCopy } from './patch.js';
import type { Patch, Variant } from './variant.js';
import { VARIANTS } from './variants.js';

const USAGE_ERROR = 2;
process.stdout.on('error', endForLostOutput);

/** How many seeds a variant that the guard refuses runs with the guard, from the one that shows it without. */
const GUARDED_SEEDS = 8;

/** Runs of so few seeds are over before the compiler that makes code fast has paid for itself: without it they take a fifth less of the processor. */
const FEW_SEEDS = 100;

const project = fileURLToPath(new URL('../../..', import.meta.url));

interface Arguments {
  readonly only?: string;
  readonly factor: number;
}

const program = new Command('npm run variants --')
  .description('Breaks the protocol, one rule at a time, in a copy of the program, and shows that the simulation finds it.')
  .option('--only <TEXT>', 'only the variants whose name has this in it')
  .option('--factor <N>', 'look at so many times the seeds that a variant is given', wholeNumber, 1)
  .addHelpText('after', '\nExit codes: 0 every variant was caught, and those that are harmless were not; 1 otherwise; 2 wrong arguments.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR));
const { only, factor } = program.parse().opts<Arguments>();

const chosen = VARIANTS.filter(({ name }) => only === undefined || name.includes(only));
if (chosen.length === 0) {
  process.stderr.write(`No variant has "${String(only)}" in its name. All of them:\n${VARIANTS.map(({ name }) => `  ${name}\n`).join('')}`);
  process.exit(USAGE_ERROR);
}

const rest = chosen.values();
let wrong = 0;
await Promise.all(
  Array.from({ length: Math.min(chosen.length, availableParallelism()) }, async (_, index) => {
    const copy = new ProgramCopy(project, join(project, 'dist', 'variants', `${process.pid}.${index}`));
    try {
      for (const variant of rest) {
        const { line, isRight } = await judge(variant, copy);
        if (!isRight) wrong += 1;
        process.stdout.write(`${line}\n`);
      }
    } finally {
      copy.remove();
    }
  }),
);
const verdict = wrong === 0 ? 'each is caught, or harmless for the reason given' : `${wrong} are not as expected`;
process.stdout.write(`${chosen.length} broken variants: ${verdict}\n`);
process.exitCode = wrong === 0 ? 0 : 1;

async function judge(variant: Variant, copy: ProgramCopy): Promise<{ line: string; isRight: boolean }> {
  const { name, patches, unguarded, scenario, harmless, playground } = variant;
  const seeds = variant.seeds * factor;
  const broken = [...patches, ...(unguarded ?? [])];
  const atOnce = variant.seed === undefined ? undefined : await simulate(copy, broken, scenario, 1, variant.seed);
  const { code, output } = atOnce?.code === 1 ? atOnce : await simulate(copy, broken, scenario, seeds);
  const found = /^seed (\d+): VIOLATION of (.*?)[,:]/m.exec(output);
  if (code === 1 && found) {
    const isRenewed = variant.seed !== undefined && Number(found[1]) !== variant.seed;
    const renewal = isRenewed ? `; its seed is no longer ${String(variant.seed)}: note the new one in verification/variants/` : '';
    const byHand = playground ? `; by hand: /playground/#${playground.isLevel === false ? 'off' : 'level'}=${playground.id}` : '';
    const line = `caught at seed ${String(found[1])} of ${seeds}, ${scenario}: ${name} (${String(found[2])})${renewal}${byHand}`;
    if (harmless) return { line: `NOT HARMLESS: ${line}`, isRight: false };
    if (!unguarded) return { line, isRight: true };
    const guarded = await simulate(copy, patches, scenario, GUARDED_SEEDS, Number(found[1]));
    if (guarded.code === 0) return { line: `${line}; the guard prevents it`, isRight: true };
    return { line: `LOST ALTHOUGH GUARDED: ${name}\n${guarded.output}`, isRight: false };
  }
  if (code !== 0) return { line: `BROKEN IN ANOTHER WAY: ${name}\n${output}`, isRight: false };
  return harmless
    ? { line: `harmless, ${seeds} seeds, ${scenario}: ${name}: ${harmless}`, isRight: true }
    : { line: `NOT CAUGHT in ${seeds} seeds, ${scenario}: ${name}`, isRight: false };
}

function simulate(
  copy: ProgramCopy,
  patches: readonly Patch[],
  scenario: ScenarioName,
  seeds: number,
  firstSeed = 1,
): Promise<{ code: number | null; output: string }> {
  copy.becomes(patches);
  const words = ['--seed', String(firstSeed), '--seeds', String(seeds), '--scenario', scenario, '--brief', '--no-silence'];
  const options = seeds <= FEW_SEEDS ? ['--no-opt'] : [];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...options, join(copy.folder, 'verification', 'simulation', 'main.js'), ...words]);
    let output = '';
    const keep = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 to 9999.');
  return Number(text);
}
