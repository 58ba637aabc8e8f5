import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Variable: QuorumLocker","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/node-redis/quorum/variables/QuorumLocker.md","filePath":"api/@redislock/node-redis/quorum/variables/QuorumLocker.md"}');
const _sfc_main = { name: "api/@redislock/node-redis/quorum/variables/QuorumLocker.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="variable-quorumlocker" tabindex="-1">Variable: QuorumLocker <a class="header-anchor" href="#variable-quorumlocker" aria-label="Permalink to &quot;Variable: QuorumLocker&quot;">​</a></h1><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}">QuorumLocker</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">: QuorumLockerConstructor;</span></span></code></pre></div><p>Locks that a majority of several independent servers keeps: no one of them is needed. Which kind of servers is right for whom is in docs/servers.md.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/node-redis/quorum/variables/QuorumLocker.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const QuorumLocker = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  QuorumLocker as default
};
