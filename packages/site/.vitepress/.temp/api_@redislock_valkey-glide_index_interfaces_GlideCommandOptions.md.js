import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Interface: GlideCommandOptions","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/valkey-glide/index/interfaces/GlideCommandOptions.md","filePath":"api/@redislock/valkey-glide/index/interfaces/GlideCommandOptions.md"}');
const _sfc_main = { name: "api/@redislock/valkey-glide/index/interfaces/GlideCommandOptions.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="interface-glidecommandoptions" tabindex="-1">Interface: GlideCommandOptions <a class="header-anchor" href="#interface-glidecommandoptions" aria-label="Permalink to &quot;Interface: GlideCommandOptions&quot;">​</a></h1><h2 id="properties" tabindex="-1">Properties <a class="header-anchor" href="#properties" aria-label="Permalink to &quot;Properties&quot;">​</a></h2><h3 id="decoder" tabindex="-1">decoder? <a class="header-anchor" href="#decoder" aria-label="Permalink to &quot;decoder?&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly decoder</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">?:</span><span style="${ssrRenderStyle({ "--shiki-light": "#023B95", "--shiki-dark": "#91CBFF" })}"> 0</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">;</span></span></code></pre></div><p><code>Decoder.Bytes</code>: the other one fails for what is not UTF-8.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/valkey-glide/index/interfaces/GlideCommandOptions.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const GlideCommandOptions = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  GlideCommandOptions as default
};
