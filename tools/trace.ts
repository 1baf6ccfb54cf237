// `npx tsx tools/trace.ts NUMBER...`: where the functions of a trace stand, as `show crash` has them: at 512, at 77. The sources must
// be those of the firmware that said it.

import { mappedFirmware } from '../image/bundle.ts';
import { sourcePlaces } from '../image/function-places.ts';

async function main(numbers: readonly string[]): Promise<void> {
  const { places, maps } = await mappedFirmware();
  const placeOf = sourcePlaces(places, maps);
  for (const number of numbers) {
    const place = placeOf(Number(number));
    console.log(`${number} ${place === undefined ? 'is no function' : `${place.file}:${place.line}`}`);
  }
}

await main(process.argv.slice(2));
