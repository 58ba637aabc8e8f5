import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Type Alias: QuorumObtainOptions","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/valkey-glide/quorum/type-aliases/QuorumObtainOptions.md","filePath":"api/@redislock/valkey-glide/quorum/type-aliases/QuorumObtainOptions.md"}');
const _sfc_main = { name: "api/@redislock/valkey-glide/quorum/type-aliases/QuorumObtainOptions.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="type-alias-quorumobtainoptions" tabindex="-1">Type Alias: QuorumObtainOptions <a class="header-anchor" href="#type-alias-quorumobtainoptions" aria-label="Permalink to &quot;Type Alias: QuorumObtainOptions&quot;">​</a></h1><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">type</span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}"> QuorumObtainOptions</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> =</span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}"> Omit</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">&lt;</span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}">ObtainOptions</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">, </span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}">&quot;mode&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;limit&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;permits&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">&gt;;</span></span></code></pre></div><p>What may be asked of a quorum: locks of one key, for one holder.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/valkey-glide/quorum/type-aliases/QuorumObtainOptions.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const QuorumObtainOptions = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  QuorumObtainOptions as default
};
