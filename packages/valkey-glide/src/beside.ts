/** Connections of our own beside a client of the user's, made from its configuration. */
import type { Life } from "@redislock/core/adapter";
import {
  Decoder,
  GlideClient,
  type GlideClientConfiguration,
  GlideClusterClient,
  type GlideClusterClientConfiguration,
  type PubSubMsg,
} from "@valkey/valkey-glide";
import type { Socket } from "node:net";

import type { GlideLike } from "./glide-types.js";

type Configuration = GlideClientConfiguration & GlideClusterClientConfiguration;

/** What comes unasked from the server, or from GLIDE about its connections. */
export interface Pushes {
  readonly message: (text: string) => void;
  /** Anything else: a subscription is confirmed, or a connection was lost. */
  readonly other: () => void;
}

/** Milliseconds for one request. Whoever asks has a deadline; and to wait for replicas takes long. */
export const PATIENCE = 600_000;

export function isCluster(glide: GlideLike): boolean {
  return "ssubscribe" in glide;
}

/** What the user's client was made from, which GLIDE keeps for itself. */
function configurationOf(glide: GlideLike): Configuration {
  const configuration: unknown = Reflect.get(glide, "config");
  if (isConfiguration(configuration)) return configuration;
  throw new Error("This version of Valkey GLIDE does not show the configuration of its client");
}

function isConfiguration(value: unknown): value is Configuration {
  return typeof value === "object" && value !== null && "addresses" in value;
}

export function openSingle(glide: GlideLike, life: Life, pushes?: Pushes): Promise<GlideClient> {
  const settings = settingsOf(glide, pushes);
  return closedWith(life, unreferenced(GlideClient).createClient(settings));
}

export function openCluster(
  glide: GlideLike,
  life: Life,
  pushes: Pushes,
): Promise<GlideClusterClient> {
  const settings = settingsOf(glide, pushes);
  return closedWith(life, unreferenced(GlideClusterClient).createClient(settings));
}

function settingsOf(glide: GlideLike, pushes: Pushes | undefined): Configuration {
  const {
    // Messages come by RESP3 alone, which is what GLIDE speaks if it is not told otherwise.
    protocol: _,
    clientSideCache: __,
    pubsubSubscriptions: ___,
    ...configuration
  } = configurationOf(glide);
  return {
    ...configuration,
    readFrom: "primary",
    // Asked for text, GLIDE throws at a message that is not UTF-8, where nobody can catch it.
    defaultDecoder: Decoder.Bytes,
    lazyConnect: false,
    requestTimeout: PATIENCE,
    ...(pushes && { pubsubSubscriptions: listeningTo(pushes) }),
  };
}

/**
 * GLIDE connects again by itself, and tells nobody but its log. It looks up the callback for whatever
 * is pushed, though, also for a loss; and calls it, at once, for messages alone.
 */
function listeningTo({ message, other }: Pushes): GlideClientConfiguration.PubSubSubscriptions {
  let others = 0;
  const callback = ({ message: text }: PubSubMsg): void => {
    others--;
    message(String(text));
  };
  return {
    channelsAndPatterns: {},
    get callback() {
      others++;
      queueMicrotask(() => {
        if (others > 0) other();
        others = 0;
      });
      return callback;
    },
  };
}

/** What is not in the declarations of its classes. */
interface SocketOpener {
  readonly GetSocket?: (path: string) => Promise<Socket>;
}

/**
 * The same class, whose clients do not keep the process alive: the socket to the native part of GLIDE
 * does, and GLIDE has no setting for that.
 */
function unreferenced<T extends object>(library: T & SocketOpener): T {
  const { GetSocket: getSocket } = library;
  if (!getSocket) throw new Error("This version of Valkey GLIDE opens its socket in another way");
  const unreferencedSocket = async (path: string): Promise<Socket> => {
    const socket = await getSocket(path);
    socket.unref();
    return socket;
  };
  return new Proxy(library, {
    get: (_, name): unknown =>
      name === "GetSocket" ? unreferencedSocket : Reflect.get(library, name),
  });
}

async function closedWith<T extends GlideLike>(life: Life, opening: Promise<T>): Promise<T> {
  const client = await opening;
  void life.ended.then(() => client.close());
  return client;
}
