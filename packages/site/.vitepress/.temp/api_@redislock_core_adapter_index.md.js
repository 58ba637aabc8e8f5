import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"adapter","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/core/adapter/index.md","filePath":"api/@redislock/core/adapter/index.md"}');
const _sfc_main = { name: "api/@redislock/core/adapter/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="adapter" tabindex="-1">adapter <a class="header-anchor" href="#adapter" aria-label="Permalink to &quot;adapter&quot;">​</a></h1><h2 id="classes" tabindex="-1">Classes <a class="header-anchor" href="#classes" aria-label="Permalink to &quot;Classes&quot;">​</a></h2><ul><li><a href="./classes/ServerError">ServerError</a></li></ul><h2 id="interfaces" tabindex="-1">Interfaces <a class="header-anchor" href="#interfaces" aria-label="Permalink to &quot;Interfaces&quot;">​</a></h2><ul><li><a href="./interfaces/ChannelListener">ChannelListener</a></li><li><a href="./interfaces/Clock">Clock</a></li><li><a href="./interfaces/ExpectedClient">ExpectedClient</a></li><li><a href="./interfaces/Life">Life</a></li><li><a href="./interfaces/Listening">Listening</a></li><li><a href="./interfaces/RedisClient">RedisClient</a></li><li><a href="./interfaces/Script">Script</a></li><li><a href="./interfaces/ScriptCommands">ScriptCommands</a></li><li><a href="./interfaces/SideConnection">SideConnection</a></li><li><a href="./interfaces/SideConnections">SideConnections</a></li><li><a href="./interfaces/SocketLike">SocketLike</a></li><li><a href="./interfaces/Subscription">Subscription</a></li><li><a href="./interfaces/Timer">Timer</a></li></ul><h2 id="type-aliases" tabindex="-1">Type Aliases <a class="header-anchor" href="#type-aliases" aria-label="Permalink to &quot;Type Aliases&quot;">​</a></h2><ul><li><a href="./type-aliases/Reply">Reply</a></li><li><a href="./type-aliases/ScriptName">ScriptName</a></li></ul><h2 id="variables" tabindex="-1">Variables <a class="header-anchor" href="#variables" aria-label="Permalink to &quot;Variables&quot;">​</a></h2><ul><li><a href="./variables/scripts">scripts</a></li><li><a href="./variables/systemClock">systemClock</a></li></ul><h2 id="functions" tabindex="-1">Functions <a class="header-anchor" href="#functions" aria-label="Permalink to &quot;Functions&quot;">​</a></h2><ul><li><a href="./functions/anyNode">anyNode</a></li><li><a href="./functions/asServerError">asServerError</a></li><li><a href="./functions/defineAdapter">defineAdapter</a></li><li><a href="./functions/runScript">runScript</a></li><li><a href="./functions/staySubscribed">staySubscribed</a></li><li><a href="./functions/toReply">toReply</a></li><li><a href="./functions/writeTogether">writeTogether</a></li></ul></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/core/adapter/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};
