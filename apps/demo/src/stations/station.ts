// What a station is: a manifest in a folder of its own. And how a component finds the station whose page it is on.

import { type ComponentType, createContext } from 'preact';
import { useContext } from 'preact/hooks';

/** The few lines that do what a station shows in the visitor's code, and what to install for them. */
export interface Snippet {
  readonly install: string;
  readonly text: string;
}

/** The manifest of a station: `station.ts` in its folder. Its tasks, if it has any, are `tasks.ts` beside it. */
export interface StationManifest {
  /** In the address; also the name of its folder. */
  readonly name: string;
  /** In the navigation. */
  readonly short: string;
  /** What the chapter answers: its heading. */
  readonly question: string;
  /** The one thing to do there, as a request; it stands below the question. */
  readonly act: string;
  /** What there is to see, on the start page. */
  readonly teaser: string;
  readonly code: Snippet;
  /** Loads its page, with the style that is the page's alone. */
  readonly page: () => Promise<{ default: ComponentType }>;
}

/** A station as its neighbours know it. */
export type Neighbour = Pick<StationManifest, 'name' | 'short' | 'question'>;

/** A station as a chapter of the story: in the order of the list, which numbers them from 1. */
export interface Station extends StationManifest {
  readonly number: number;
  /** How many there are. */
  readonly count: number;
  readonly previous: Neighbour | undefined;
  readonly next: Neighbour | undefined;
}

/** Gives a station to what is shown on its page: pages do not import their manifests, which load them. */
export const CurrentStation = createContext<Station | undefined>(undefined);

/** The station on whose page a component is. */
export function useStation(): Station {
  const station = useContext(CurrentStation);
  if (station === undefined) throw new Error('This component belongs on the page of a station.');
  return station;
}
