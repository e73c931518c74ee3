/// The monitoring API's lines of the routing table.
func monitorRoutes(_ services: GatewayServices) -> [Route] { MonitorController(scrape: services.scrape).routes }
