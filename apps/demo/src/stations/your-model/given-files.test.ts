import { expect, test } from 'vitest';
import { given } from './files/files.test.support.ts';
import { withFiles } from './given-files.ts';

const NOTHING = { model: [], images: [] };
const paths = ({ model, images }: ReturnType<typeof withFiles>) => ({
  model: model.map(({ path }) => path),
  images: images.map(({ path }) => path),
});

test('files go where they belong, and litter goes nowhere', () => {
  const files = ['model.json', 'w.bin', 'cat/1.PNG', 'cat/.DS_Store', 'Thumbs.db', '.git/x'];
  expect(
    paths(
      withFiles(
        NOTHING,
        files.map((path) => given(path, '')),
      ),
    ),
  ).toEqual({
    model: ['model.json', 'w.bin'],
    images: ['cat/1.PNG'],
  });
});

test('what was missing can follow; a new model.json takes the place of the old one', () => {
  const first = withFiles(NOTHING, [given('model.json', '1')]);
  const whole = withFiles(first, [given('w.bin', '')]);
  expect(paths(whole).model).toEqual(['model.json', 'w.bin']);
  expect(paths(withFiles(whole, [given('other.json', '2')])).model).toEqual(['w.bin', 'other.json']);
});

test('images are added, and each is there once', () => {
  const first = withFiles(NOTHING, [given('a.png', '1'), given('b.png', '1')]);
  expect(paths(withFiles(first, [given('b.png', '2'), given('c.png', '1')])).images).toEqual([
    'a.png',
    'b.png',
    'c.png',
  ]);
  expect(withFiles(first, []).images).toBe(first.images);
});

test('a file of Keras is a model by itself, in place of the one before', () => {
  const file = (path: string) => ({ path, file: new File([], path) });
  const first = withFiles({ model: [file('model.json'), file('w.bin')], images: [] }, [file('net.keras')]);
  expect(first.model.map(({ path }) => path)).toEqual(['net.keras']);
  const second = withFiles(first, [file('model.json'), file('w.bin')]);
  expect(second.model.map(({ path }) => path)).toEqual(['model.json', 'w.bin']);
});
