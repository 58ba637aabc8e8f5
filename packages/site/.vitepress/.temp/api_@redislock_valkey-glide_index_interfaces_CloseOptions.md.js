import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Interface: CloseOptions","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/valkey-glide/index/interfaces/CloseOptions.md","filePath":"api/@redislock/valkey-glide/index/interfaces/CloseOptions.md"}');
const _sfc_main = { name: "api/@redislock/valkey-glide/index/interfaces/CloseOptions.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="interface-closeoptions" tabindex="-1">Interface: CloseOptions <a class="header-anchor" href="#interface-closeoptions" aria-label="Permalink to &quot;Interface: CloseOptions&quot;">​</a></h1><h2 id="properties" tabindex="-1">Properties <a class="header-anchor" href="#properties" aria-label="Permalink to &quot;Properties&quot;">​</a></h2><h3 id="grace" tabindex="-1">grace? <a class="header-anchor" href="#grace" aria-label="Permalink to &quot;grace?&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly grace</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">?:</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}"> number;</span></span></code></pre></div><p>Milliseconds that whoever holds a lock of this locker has to come to an end, 0 to 2^31 - 1 or <code>Infinity</code>: <code>lock.signal</code> aborts at once with a <code>LockerClosedError</code>, while the lock is held and renewed as before; what is not released when this time is over is released then. Default: nobody is told, and locks that are held stay held.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/valkey-glide/index/interfaces/CloseOptions.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const CloseOptions = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  CloseOptions as default
};
