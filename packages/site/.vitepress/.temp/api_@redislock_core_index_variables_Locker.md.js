import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Variable: Locker","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/core/index/variables/Locker.md","filePath":"api/@redislock/core/index/variables/Locker.md"}');
const _sfc_main = { name: "api/@redislock/core/index/variables/Locker.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="variable-locker" tabindex="-1">Variable: Locker <a class="header-anchor" href="#variable-locker" aria-label="Permalink to &quot;Variable: Locker&quot;">​</a></h1><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}">Locker</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">: LockerConstructor;</span></span></code></pre></div><p>Its type is an interface, so that the CommonJS copy and the ES module copy of this package fit each other.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/core/index/variables/Locker.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const Locker = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  Locker as default
};
