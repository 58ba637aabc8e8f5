import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Interface: SideConnection","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/core/adapter/interfaces/SideConnection.md","filePath":"api/@redislock/core/adapter/interfaces/SideConnection.md"}');
const _sfc_main = { name: "api/@redislock/core/adapter/interfaces/SideConnection.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="interface-sideconnection" tabindex="-1">Interface: SideConnection <a class="header-anchor" href="#interface-sideconnection" aria-label="Permalink to &quot;Interface: SideConnection&quot;">​</a></h1><h2 id="methods" tabindex="-1">Methods <a class="header-anchor" href="#methods" aria-label="Permalink to &quot;Methods&quot;">​</a></h2><h3 id="send" tabindex="-1">send() <a class="header-anchor" href="#send" aria-label="Permalink to &quot;send()&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#622CBC", "--shiki-dark": "#DBB7FF" })}">send</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">(command): </span><span style="${ssrRenderStyle({ "--shiki-light": "#023B95", "--shiki-dark": "#91CBFF" })}">Promise</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">&lt;</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">Reply</span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">&gt;</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">;</span></span></code></pre></div><p>Sends one command as it is, without any prefix. Commands leave in the order of the calls, and none is sent twice. Resolves and rejects as <a href="./RedisClient#run">RedisClient.run</a>.</p><h4 id="parameters" tabindex="-1">Parameters <a class="header-anchor" href="#parameters" aria-label="Permalink to &quot;Parameters&quot;">​</a></h4><table tabindex="0"><thead><tr><th>Parameter</th><th>Type</th></tr></thead><tbody><tr><td><code>command</code></td><td>readonly <code>string</code>[]</td></tr></tbody></table><h4 id="returns" tabindex="-1">Returns <a class="header-anchor" href="#returns" aria-label="Permalink to &quot;Returns&quot;">​</a></h4><p><code>Promise</code>&lt;<a href="./../type-aliases/Reply"><code>Reply</code></a>&gt;</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/core/adapter/interfaces/SideConnection.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const SideConnection = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  SideConnection as default
};
