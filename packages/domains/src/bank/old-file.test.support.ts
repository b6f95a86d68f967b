// A file of version 1, as banks wrote it before there was version 2.
import type { ModelStatistics } from '../index.ts';
import { randomStatistics } from '../network.test.support.ts';
import { LAYERS } from './bank-file.test.support.ts';

const BASE64 = [
  'cAMAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJzaGEyNTYiOiIxNTJmOTE2ZWNlYjZkOTcyMTA3YWU3NGQ5NTBiY2ViOTY1ODAyZDBhZjU1MzUzZT',
  'JkMGI3MjQxZjIzZGExODdjIiwiZm9ybWF0IjoicmViYXRjaC1zdGF0aXN0aWNzLWJhbmsiLCJ2ZXJzaW9uIjoiMSIsImxheWVycyI6Ilt7XCJu',
  'YW1lXCI6XCJibjBcIixcImNoYW5uZWxzXCI6M30se1wibmFtZVwiOlwiYm4xXCIsXCJjaGFubmVsc1wiOjJ9XSIsImRvbWFpbnMiOiJbXCJkYX',
  'lcIixcIm5pZ2h0XCJdIn0sImRheS8wL2JuMC9tb3ZpbmdfbWVhbiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6',
  'WzAsMTJdfSwiZGF5LzAvYm4wL21vdmluZ192YXJpYW5jZSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzEyLD',
  'I0XX0sImRheS8xL2JuMS9tb3ZpbmdfbWVhbiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzI0LDMyXX0sImRh',
  'eS8xL2JuMS9tb3ZpbmdfdmFyaWFuY2UiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlszMiw0MF19LCJuaWdodC',
  '8wL2JuMC9tb3ZpbmdfbWVhbiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzQwLDUyXX0sIm5pZ2h0LzAvYm4w',
  'L21vdmluZ192YXJpYW5jZSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzUyLDY0XX0sIm5pZ2h0LzEvYm4xL2',
  '1vdmluZ19tZWFuIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbNjQsNzJdfSwibmlnaHQvMS9ibjEvbW92aW5n',
  'X3ZhcmlhbmNlIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbNzIsODBdfX0gt7HgQE+FwkATUiPAMxoSP/uaH0',
  'FxFS5BUPsPwPZICEABzSBBfvbUPd2BbMDZ2n7A5TzewLQYm0CyLXlBUYofQNwnK0C6jIVAe+UPQck0cUI=',
];

/** What it holds. */
export const OLD_DOMAINS: Readonly<Record<string, ModelStatistics>> = {
  day: randomStatistics(LAYERS, 1),
  night: randomStatistics(LAYERS, 2),
};

export const oldFile = (): Uint8Array => new Uint8Array(Buffer.from(BASE64.join(''), 'base64'));
