/** How a page of the repository becomes a page of the site. */
import { posix } from "node:path";

const REPOSITORY = "https://github.com/redislock/redislock/blob/main/";

/**
 * Links between pages lead to pages, images to their copies, and all else to the repository.
 *
 * @param {string} text
 * @param {string} from - Its path in the repository.
 * @param {ReadonlyMap<string, string>} published - The pages of the site by their paths in the repository.
 * @returns {string}
 */
export function toPage(text, from, published) {
  return outsideCode(text, (part) =>
    part.replace(/(\]\()([^)\s]+)(\))/g, (_, open, target, close) => {
      return `${open}${linkTo(target, from, published)}${close}`;
    }),
  );
}

/**
 * @param {string} target
 * @param {string} from
 * @param {ReadonlyMap<string, string>} published
 */
function linkTo(target, from, published) {
  if (/^(?:[a-z]+:|#)/.test(target)) return target;
  const [path = "", anchor] = target.split("#");
  const place = posix.normalize(posix.join(posix.dirname(from), path)).replace(/\/$/, "");
  const hash = anchor === undefined ? "" : `#${anchor}`;
  const page = published.get(place);
  if (page !== undefined) return `./${page}${hash}`;
  if (/\.(svg|png)$/.test(place)) return `./${place}`;
  return `${REPOSITORY}${place}${hash}`;
}

/**
 * Changes what is no code.
 *
 * @param {string} text
 * @param {(part: string) => string} change
 */
function outsideCode(text, change) {
  return text
    .split(/(^```[^]*?^```$)/m)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join("");
}
