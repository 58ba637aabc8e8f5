import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Interface: LockedMisfit<Why>","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/nestjs/interfaces/LockedMisfit.md","filePath":"api/@redislock/nestjs/interfaces/LockedMisfit.md"}');
const _sfc_main = { name: "api/@redislock/nestjs/interfaces/LockedMisfit.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="interface-lockedmisfit-why" tabindex="-1">Interface: LockedMisfit&lt;Why&gt; <a class="header-anchor" href="#interface-lockedmisfit-why" aria-label="Permalink to &quot;Interface: LockedMisfit\\&lt;Why\\&gt;&quot;">​</a></h1><p>What <code>@Locked</code> says of a method that it does not fit.</p><h2 id="type-parameters" tabindex="-1">Type Parameters <a class="header-anchor" href="#type-parameters" aria-label="Permalink to &quot;Type Parameters&quot;">​</a></h2><table tabindex="0"><thead><tr><th>Type Parameter</th></tr></thead><tbody><tr><td><a id="type-parameter-why"></a> <code>Why</code> <em>extends</em> <code>string</code></td></tr></tbody></table><h2 id="properties" tabindex="-1">Properties <a class="header-anchor" href="#properties" aria-label="Permalink to &quot;Properties&quot;">​</a></h2><h3 id="locked-does-not-fit-this-method" tabindex="-1">@Locked does not fit this method <a class="header-anchor" href="#locked-does-not-fit-this-method" aria-label="Permalink to &quot;@Locked does not fit this method&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly </span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}">&quot;@Locked does not fit this method&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">: Why;</span></span></code></pre></div></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/nestjs/interfaces/LockedMisfit.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const LockedMisfit = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  LockedMisfit as default
};
