import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Interface: LockerHealthOptions","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/nestjs/interfaces/LockerHealthOptions.md","filePath":"api/@redislock/nestjs/interfaces/LockerHealthOptions.md"}');
const _sfc_main = { name: "api/@redislock/nestjs/interfaces/LockerHealthOptions.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="interface-lockerhealthoptions" tabindex="-1">Interface: LockerHealthOptions <a class="header-anchor" href="#interface-lockerhealthoptions" aria-label="Permalink to &quot;Interface: LockerHealthOptions&quot;">​</a></h1><h2 id="properties" tabindex="-1">Properties <a class="header-anchor" href="#properties" aria-label="Permalink to &quot;Properties&quot;">​</a></h2><h3 id="locker" tabindex="-1">locker? <a class="header-anchor" href="#locker" aria-label="Permalink to &quot;locker?&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly locker</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">?:</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}"> string;</span></span></code></pre></div><p>The name of the locker, as the module was given it. Default: the one without a name.</p><hr><h3 id="probe" tabindex="-1">probe? <a class="header-anchor" href="#probe" aria-label="Permalink to &quot;probe?&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly probe</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">?:</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}"> string;</span></span></code></pre></div><p>The key that Redis is asked about; nothing is written. Default: <code>&quot;redislock-health&quot;</code>.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/nestjs/interfaces/LockerHealthOptions.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const LockerHealthOptions = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  LockerHealthOptions as default
};
