import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Type Alias: ScriptName","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/core/adapter/type-aliases/ScriptName.md","filePath":"api/@redislock/core/adapter/type-aliases/ScriptName.md"}');
const _sfc_main = { name: "api/@redislock/core/adapter/type-aliases/ScriptName.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="type-alias-scriptname" tabindex="-1">Type Alias: ScriptName <a class="header-anchor" href="#type-alias-scriptname" aria-label="Permalink to &quot;Type Alias: ScriptName&quot;">​</a></h1><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">type</span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}"> ScriptName</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> =</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}"> </span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;announce&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;forceRelease&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;inspect&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;leaveShared&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;leave&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;obtainShared&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;obtainSharedMany&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;obtain&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;obtainMany&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;refreshShared&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;refreshSharedMany&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;refresh&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;refreshMany&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;releaseShared&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;releaseSharedMany&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;release&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;releaseMany&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;shorten&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;shortenMany&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;ttlShared&quot;</span></span>
<span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">  |</span><span style="${ssrRenderStyle({ "--shiki-light": "#032563", "--shiki-dark": "#ADDCFF" })}"> &quot;ttl&quot;</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">;</span></span></code></pre></div><p>Every script that a lock runs, by name: to load them ahead, or to know them in a log.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/core/adapter/type-aliases/ScriptName.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const ScriptName = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  ScriptName as default
};
