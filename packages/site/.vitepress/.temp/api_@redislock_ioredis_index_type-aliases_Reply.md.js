import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Type Alias: Reply","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/ioredis/index/type-aliases/Reply.md","filePath":"api/@redislock/ioredis/index/type-aliases/Reply.md"}');
const _sfc_main = { name: "api/@redislock/ioredis/index/type-aliases/Reply.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="type-alias-reply" tabindex="-1">Type Alias: Reply <a class="header-anchor" href="#type-alias-reply" aria-label="Permalink to &quot;Type Alias: Reply&quot;">​</a></h1><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">type</span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}"> Reply</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> =</span><span style="${ssrRenderStyle({ "--shiki-light": "#023B95", "--shiki-dark": "#91CBFF" })}"> string</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> |</span><span style="${ssrRenderStyle({ "--shiki-light": "#023B95", "--shiki-dark": "#91CBFF" })}"> null</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> |</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}"> readonly</span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}"> Reply</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">[];</span></span></code></pre></div><p>A script&#39;s reply in one shape, whatever the client or its settings make of it: numbers come as their decimal text, nil as <code>null</code>. See <a href="./../../../core/adapter/functions/toReply">toReply</a>.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/ioredis/index/type-aliases/Reply.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const Reply = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  Reply as default
};
