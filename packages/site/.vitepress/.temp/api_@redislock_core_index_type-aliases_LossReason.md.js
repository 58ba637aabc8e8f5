import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Type Alias: LossReason","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/core/index/type-aliases/LossReason.md","filePath":"api/@redislock/core/index/type-aliases/LossReason.md"}');
const _sfc_main = { name: "api/@redislock/core/index/type-aliases/LossReason.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="type-alias-lossreason" tabindex="-1">Type Alias: LossReason <a class="header-anchor" href="#type-alias-lossreason" aria-label="Permalink to &quot;Type Alias: LossReason&quot;">​</a></h1><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">type</span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}"> LossReason</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> =</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;expired&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;taken&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;deleted&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;unreachable&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;dropped&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">;</span></span></code></pre></div><p>Why a lock was lost: its time ran out (<code>expired</code>), another holds it now (<code>taken</code>), someone removed it (<code>deleted</code>), Redis gave no answer while it could still be proved (<code>unreachable</code>), or nobody kept the <code>Lock</code> or its <code>signal</code>, so that it was not renewed any more (<code>dropped</code>).</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/core/index/type-aliases/LossReason.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const LossReason = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  LossReason as default
};
