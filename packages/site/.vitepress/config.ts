import { readFileSync } from "node:fs";
import type { DefaultTheme } from "vitepress";
import { withMermaid } from "vitepress-plugin-mermaid";

const using = [
  { text: "Introduction", link: "/" },
  { text: "Getting started", link: "/getting-started" },
  { text: "Ways to run it", link: "/ways-to-run" },
  { text: "NestJS", link: "/nestjs" },
  { text: "BullMQ", link: "/bullmq" },
  { text: "Next.js", link: "/nextjs" },
  { text: "Serverless and edge", link: "/serverless" },
  { text: "Reference", link: "/reference" },
  { text: "Waiting in line", link: "/waiting" },
  { text: "Shared locks", link: "/shared-locks" },
  { text: "Counted locks", link: "/counted-locks" },
  { text: "Leader election", link: "/leader-election" },
  { text: "Fencing", link: "/fencing" },
  { text: "Command line", link: "/cli" },
  { text: "Testing", link: "/testing" },
  { text: "Troubleshooting", link: "/troubleshooting" },
  { text: "Coming from another library", link: "/migrating" },
];
const relying = [
  { text: "Guarantees", link: "/guarantees" },
  { text: "Faults", link: "/faults" },
  { text: "Which servers", link: "/servers" },
  { text: "Deployments", link: "/deployments" },
  { text: "Operating", link: "/operating" },
  { text: "Telemetry", link: "/telemetry" },
  { text: "Performance", link: "/performance" },
  { text: "Measured", link: "/bench" },
];
const inside = [
  { text: "Architecture", link: "/architecture" },
  { text: "Protocol", link: "/protocol" },
  { text: "Writing an adapter", link: "/writing-an-adapter" },
  { text: "Bun's client, Upstash", link: "/other-clients" },
  { text: "Decisions", link: "/decisions" },
];

/** Made by TypeDoc beside the pages that it lists. */
const api: unknown = JSON.parse(
  readFileSync(new URL("../content/api/typedoc-sidebar.json", import.meta.url), "utf8"),
);

function isSidebar(items: unknown): items is DefaultTheme.SidebarItem[] {
  return Array.isArray(items);
}

/**
 * Groups such as "Type Aliases" have no page of their own: they lead to where the page above lists them.
 * Without a link, the theme makes a button of each with a second one in it, which nobody can tell apart.
 */
function allLinked(items: DefaultTheme.SidebarItem[], above: string): DefaultTheme.SidebarItem[] {
  return items.map((item) => {
    if (!item.items) return item;
    const place = (item.text ?? "").toLowerCase().replaceAll(" ", "-");
    const link = item.link ?? `${above}#${place}`;
    return { ...item, link, items: allLinked(item.items, link) };
  });
}

export default withMermaid({
  title: "redislock",
  description: "Distributed locks over Redis and Valkey for Node.js",
  lang: "en",
  srcDir: "content",
  outDir: "dist",
  cleanUrls: true,
  // A page that links to nothing fails the build.
  ignoreDeadLinks: false,
  head: [
    ["meta", { name: "theme-color", content: "#c6302b" }],
    ["link", { rel: "icon", href: "/icon.svg" }],
  ],
  markdown: { theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" } },
  themeConfig: {
    search: {
      provider: "local",
      // The button is called by the text on it, and by no other name: whoever sees it can say it.
      options: { translations: { button: { buttonAriaLabel: "" } } },
    },
    outline: { level: [2, 3] },
    nav: [
      { text: "Introduction", link: "/" },
      { text: "Getting started", link: "/getting-started" },
      { text: "Guarantees", link: "/guarantees" },
      { text: "API", link: "/api/" },
    ],
    sidebar: [
      { text: "Using it", items: using },
      { text: "Relying on it", items: relying },
      { text: "Inside", items: inside },
      { text: "API", link: "/api/", items: isSidebar(api) ? allLinked(api, "/api/") : [] },
    ],
    socialLinks: [{ icon: "github", link: "https://github.com/redislock/redislock" }],
  },
});
